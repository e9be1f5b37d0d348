use super::*;

#[test]
fn version_is_the_locked_one() {
    let lock = include_str!("../../Cargo.lock");
    let (name, version) = PRICE_VERSION.split_once(' ').unwrap();
    assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")));
}
