//! Torn tails and rot: what is whole is recovered, nothing is invented, nothing is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::sim::Sim;
use super::*;
use crate::journal::frame::{HEADER, SEGMENT_HEADER, Salts};

/// A journal of so many frames, closed; and the length of one frame.
async fn written(frames: u128, segment_bytes: u64) -> (BTreeMap<PathBuf, Vec<u8>>, usize) {
    let sim = Sim::default();
    let mut options = options(Path::new("/j"));
    options.segment_bytes = segment_bytes;
    let (journal, _reader) = Journal::open_on(Arc::new(sim.clone()), options).unwrap();
    for n in 10..10 + frames {
        journal.append(frame(FrameKind::Posted, n)).wait().await.unwrap();
    }
    journal.close();
    (sim.files(), frame::encoded_len(&super::frame(FrameKind::Posted, 10)))
}

fn open_files(files: &BTreeMap<PathBuf, Vec<u8>>) -> (Sim, Journal, Reader) {
    let sim = Sim::with_files(files);
    let (journal, reader) = Journal::open_on(Arc::new(sim.clone()), options(Path::new("/j"))).unwrap();
    (sim, journal, reader)
}

fn recovered(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<u128> {
    let (_sim, _journal, mut reader) = open_files(files);
    read_all(&mut reader).iter().map(|e| e.record.as_u128()).collect()
}

fn only(files: &BTreeMap<PathBuf, Vec<u8>>) -> (PathBuf, Vec<u8>) {
    assert_eq!(files.len(), 1);
    files.iter().map(|(path, data)| (path.clone(), data.clone())).next().unwrap()
}

#[tokio::test]
async fn a_cut_at_each_byte_leaves_the_exact_prefix() {
    let (files, len) = written(8, 1 << 20).await;
    let (path, data) = only(&files);
    assert_eq!(data.len(), SEGMENT_HEADER as usize + 8 * len);
    for cut in 0..data.len() {
        let whole = cut.saturating_sub(SEGMENT_HEADER as usize) / len;
        let files = BTreeMap::from([(path.clone(), data[..cut].to_vec())]);
        assert_eq!(recovered(&files), (10..10 + whole as u128).collect::<Vec<_>>(), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_flip_of_each_byte_costs_one_frame_at_most() {
    let (files, len) = written(8, 1 << 20).await;
    let (path, data) = only(&files);
    for at in 0..data.len() {
        let mut bad = data.clone();
        bad[at] ^= 1 << (at % 8);
        let found = recovered(&BTreeMap::from([(path.clone(), bad)]));
        let hit = at.checked_sub(SEGMENT_HEADER as usize).map(|at| 10 + (at / len) as u128);
        let expected: Vec<u128> = (10..18).filter(|n| Some(*n) != hit).collect();
        assert_eq!(found, expected, "flip at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_bytes_make_it_panic_or_invent(cut in 0_usize..1600, garbage in prop::collection::vec(any::<u8>(), 0..400)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (files, len) = runtime.block_on(written(8, 1 << 20));
        let (path, mut data) = only(&files);
        let written = data.clone();
        data.truncate(cut);
        data.extend(&garbage);
        // The garbage may begin as what it stands for went on.
        let same = data.iter().zip(&written).take_while(|(is, was)| is == was).count();
        let whole = same.saturating_sub(SEGMENT_HEADER as usize) / len;
        let found = recovered(&BTreeMap::from([(path, data)]));
        prop_assert_eq!(found, (10..10 + whole as u128).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn rot_in_a_sealed_segment_is_counted_and_kept_aside() {
    let (mut files, len) = written(60, 2_000).await;
    assert!(files.len() > 3);
    let (path, data) = files.iter_mut().next().unwrap();
    let rotten = path.clone();
    // The header of the second frame, the body of the fourth, and the end of the last.
    data[SEGMENT_HEADER as usize + len + 2] ^= 0xFF;
    data[SEGMENT_HEADER as usize + 3 * len + HEADER + 20] ^= 0xFF;
    let last = data.len() - 1;
    data[last] ^= 0xFF;
    let frames = ((last + 1 - SEGMENT_HEADER as usize) / len) as u128;
    let (sim, journal, mut reader) = open_files(&files);
    let entries = read_all(&mut reader);
    let found: BTreeSet<u128> = entries.iter().map(|e| e.record.as_u128()).collect();
    let lost = [11, 13, 9 + frames];
    assert_eq!(found, (10..70).filter(|n| !lost.contains(n)).collect());
    assert_eq!(journal.stats().frames_lost, 3);
    deal_with(&journal, &entries);
    let left: Vec<PathBuf> = sim.files().into_keys().collect();
    assert_eq!(left, [rotten.with_extension("bad")]);
    assert_eq!(journal.stats().segments_aside, 1);
}

#[tokio::test]
async fn a_frame_inside_a_body_does_not_pass_for_one() {
    let mut forged = Vec::new();
    frame::encode(&mut forged, &frame(FrameKind::Posted, 666), 2, 2, Salts::random());
    let sim = Sim::default();
    let (journal, _reader) = Journal::open_on(Arc::new(sim.clone()), options(Path::new("/j"))).unwrap();
    let mut carrier = frame(FrameKind::Posted, 10);
    carrier.body = vec![Bytes::from(forged)];
    journal.append(carrier).wait().await.unwrap();
    journal.append(frame(FrameKind::Posted, 11)).wait().await.unwrap();
    journal.close();
    let mut files = sim.files();
    files.values_mut().next().unwrap()[SEGMENT_HEADER as usize] ^= 1;
    assert_eq!(recovered(&files), [11]);
}

#[tokio::test]
async fn a_segment_without_a_readable_header_is_kept_aside() {
    let (mut files, _) = written(60, 2_000).await;
    let (path, data) = files.iter_mut().nth(1).unwrap();
    let aside = path.with_extension("bad");
    data[..SEGMENT_HEADER as usize].fill(0);
    let (sim, journal, mut reader) = open_files(&files);
    assert!(!read_all(&mut reader).is_empty());
    assert!(sim.files().contains_key(&aside));
    journal.append(frame(FrameKind::Posted, 99)).wait().await.unwrap();
    assert_eq!(read_all(&mut reader).len(), 1);
}

#[tokio::test]
async fn a_dead_record_is_a_segment_that_can_be_read() {
    let (files, _) = written(3, 1 << 20).await;
    let (sim, journal, mut reader) = open_files(&files);
    let entries = read_all(&mut reader);
    let parcel = pack(&journal.fetch(&[entries[1].position]).unwrap());
    journal.bury(entries[1].record, &parcel).unwrap();
    journal.bury(entries[1].record, &parcel).unwrap();
    let (path, data) = sim.files().into_iter().find(|(path, _)| path.starts_with("/j/dead")).unwrap();
    assert_eq!(path, Path::new(&format!("/j/dead/{}.seg", entries[1].record.simple())));
    assert_eq!(unpack(&data.clone().into()).unwrap()[0].record, entries[1].record);
    assert_eq!(recovered(&BTreeMap::from([(PathBuf::from("/j/0000000000000002"), data)])), [11]);
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_again_costs_itself_only() {
    let (files, _) = written(3, 1 << 20).await;
    let (sim, journal, mut reader) = open_files(&files);
    let positions: Vec<Position> = read_all(&mut reader).iter().map(|entry| entry.position).collect();
    let path = files.keys().next().unwrap();
    sim.damage(path, usize::try_from(positions[1].offset).unwrap() + 70);
    assert_eq!(journal.fetch(&positions).unwrap().len(), 2);
    let spent = journal.acknowledge(&positions, journal.tail());
    journal.give_back(spent);
    let aside = sim.files();
    assert!(aside.contains_key(&path.with_extension("bad")), "it is kept aside");
    // A disk that is whole again, and its own name: it is read from its beginning.
    let repaired = aside.keys().map(|name| (name.with_extension(""), files[path].clone())).collect();
    assert_eq!(recovered(&repaired), [10, 11, 12]);
}

#[tokio::test]
async fn a_process_without_descriptors_gives_no_segment_up() {
    let (files, _) = written(60, 2_000).await;
    let (sim, journal, mut reader) = open_files(&files);
    sim.no_descriptors(true);
    let limits = Limits { frames: 1_000, bytes: 1 << 20 };
    for _ in 0..20 {
        let error = reader.read(limits, &mut Vec::new()).unwrap_err();
        assert!(may_pass(&error), "{error}");
    }
    sim.no_descriptors(false);
    let entries = read_all(&mut reader);
    assert_eq!(entries.iter().map(|e| e.record.as_u128()).collect::<Vec<_>>(), (10..70).collect::<Vec<_>>());
    let positions: Vec<Position> = entries.iter().map(|entry| entry.position).collect();
    sim.no_descriptors(true);
    assert!(journal.fetch(&positions).is_err(), "what can be read later is not left out");
    sim.no_descriptors(false);
    assert_eq!(journal.fetch(&positions).unwrap().len(), 60);
    assert_eq!(journal.stats().frames_lost, 0);
}
