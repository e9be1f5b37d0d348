use super::*;

#[test]
fn names() {
    assert_eq!(provider_name("openai"), "OPENAI");
    assert_eq!(provider_name("my-vllm"), "my-vllm");
}
