//! Damage by chance, many cases: the end of a journal cut, overwritten, flipped and followed by garbage. What stands whole
//! before the damage is recovered, nothing is invented, nothing panics, and the journal goes on.
//!
//! `TRAILGATE_TEST_DAMAGE_CASES` says how many cases (100,000 for the long form, best with `cargo test --release`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::sim::Sim;
use super::*;
use crate::journal::frame::SEGMENT_HEADER;

/// Frames in the segment that is damaged.
const FRAMES: usize = 6;

/// A journal of two segments, the path of the last, and where each of its frames begins (and the last ends).
struct Kept {
    files: BTreeMap<PathBuf, Vec<u8>>,
    last: PathBuf,
    starts: Vec<usize>,
    first_record: u128,
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sim = Sim::default();
    let mut starts = vec![SEGMENT_HEADER as usize];
    let mut first_record = 0;
    runtime.block_on(async {
        let (journal, _reader) = Journal::open_on(Arc::new(sim.clone()), options(Path::new("/j"))).unwrap();
        let mut n = 0;
        while sim.files().len() < 2 || starts.len() <= FRAMES {
            let before = sim.files().len();
            // Of different lengths, some empty.
            let frame =
                Frame { body: vec![Bytes::from(vec![b'x'; (n % 4) as usize * 57])], ..frame(FrameKind::End, n) };
            let len = frame::encoded_len(&frame);
            journal.append(frame).wait().await.unwrap();
            if sim.files().len() == 2 {
                if before == 1 {
                    first_record = n;
                }
                starts.push(starts.last().unwrap() + len);
            }
            n += 1;
        }
        journal.close();
    });
    let files = sim.files();
    let last = files.keys().next_back().unwrap().clone();
    assert_eq!(files[&last].len(), *starts.last().unwrap());
    Kept { files, last, starts, first_record }
});

fn cases() -> u32 {
    std::env::var("TRAILGATE_TEST_DAMAGE_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Overwrite(usize, Vec<u8>),
    Zero(usize, usize),
    Append(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let within = 0_usize..2_000;
    prop_oneof![
        within.clone().prop_map(Damage::Cut),
        (within.clone(), 1_u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (within.clone(), prop::collection::vec(any::<u8>(), 1..80)).prop_map(|(at, with)| Damage::Overwrite(at, with)),
        (within, 1_usize..600).prop_map(|(at, len)| Damage::Zero(at, len)),
        prop::collection::vec(any::<u8>(), 1..400).prop_map(Damage::Append),
    ]
}

/// Does it to the bytes behind `from`; says where the first byte was touched.
fn strike(data: &mut Vec<u8>, from: usize, damage: &Damage) -> usize {
    let span = data.len().saturating_sub(from).max(1);
    let place = |at: usize| from + at % span;
    match damage {
        Damage::Cut(at) => {
            data.truncate(place(*at));
            data.len()
        }
        Damage::Flip(at, bits) => {
            let at = place(*at);
            if let Some(byte) = data.get_mut(at) {
                *byte ^= bits;
            }
            at
        }
        Damage::Overwrite(at, with) => {
            let at = place(*at);
            for (byte, new) in data.iter_mut().skip(at).zip(with) {
                *byte = *new;
            }
            at
        }
        Damage::Zero(at, len) => {
            let at = place(*at);
            data.iter_mut().skip(at).take(*len).for_each(|byte| *byte = 0);
            at
        }
        Damage::Append(garbage) => {
            data.extend_from_slice(garbage);
            data.len() - garbage.len()
        }
    }
}

fn check(strikes: &[Damage]) -> Result<(), TestCaseError> {
    let Kept { files, last, starts, first_record } = &*KEPT;
    let mut files = files.clone();
    let data = files.get_mut(last).unwrap();
    // Behind the first half of the frames: the last three are hit.
    let from = starts[starts.len() - 4];
    let touched = strikes.iter().map(|strike| self::strike(data, from, strike)).min().unwrap();
    let whole = starts.iter().skip(1).filter(|end| **end <= touched).count() as u128;
    let all = first_record + starts.len() as u128 - 1;

    let sim = Sim::with_files(&files);
    let (journal, mut reader) = Journal::open_on(Arc::new(sim.clone()), options(Path::new("/j"))).unwrap();
    let found: Vec<u128> = read_all(&mut reader).iter().map(|e| e.record.as_u128()).collect();
    let prefix: Vec<u128> = (0..first_record + whole).collect();
    prop_assert!(found.starts_with(&prefix), "{found:?} begins with {prefix:?}");
    prop_assert!(found.windows(2).all(|two| two[0] < two[1]), "in order, none twice: {found:?}");
    prop_assert!(found.last().is_none_or(|last| *last < all), "none invented: {found:?}");
    // It goes on behind, and the next start finds both.
    journal.append_unwatched(frame(FrameKind::End, 1_000));
    journal.close();
    let (_journal, mut reader) = Journal::open_on(Arc::new(sim), options(Path::new("/j"))).unwrap();
    let again: Vec<u128> = read_all(&mut reader).iter().map(|e| e.record.as_u128()).collect();
    prop_assert_eq!(again, found.into_iter().chain([1_000]).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn any_damage_to_the_end_costs_what_it_hit(strikes in prop::collection::vec(damage(), 1..4)) {
        check(&strikes)?;
    }
}

#[test]
fn a_cut_and_a_flip_at_each_byte_of_the_last_three_frames() {
    let from = KEPT.starts[KEPT.starts.len() - 4];
    for at in 0..KEPT.starts.last().unwrap() - from {
        check(&[Damage::Cut(at)]).unwrap();
        check(&[Damage::Flip(at, 1 << (at % 8))]).unwrap();
    }
}
