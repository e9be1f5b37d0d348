//! What one call adds to sums, the same here and in every statement that adds up calls.
//!
//! Of each value it adds at most so much. A row keeps what its call was; a sum takes of each value no more than this, so that
//! no sum over four million calls overflows, whatever they claim.

/// A wall time of twelve days in microseconds, a cost of a thousand dollars in nano-dollars, tokens, a terabyte.
pub(super) const MOST_ADDED: i64 = 1 << 40;

/// What a value adds.
pub(super) fn added(value: i64) -> i64 {
    value.min(MOST_ADDED)
}

/// The same as the text of an expression: `capped!("e.cost")`. What is NULL stays so.
macro_rules! capped {
    ($value:literal) => {
        concat!("CASE WHEN ", $value, " > 1099511627776 THEN 1099511627776 ELSE ", $value, " END")
    };
}
pub(super) use capped;

/// All tokens that went into a call `e`, cached included. What a version that knew no images stored has none of them.
macro_rules! capped_input {
    () => {
        $crate::store::bounds::capped!(
            "(e.prompt_tokens + e.prompt_cache_read_tokens + e.prompt_cache_write_tokens + e.prompt_audio_tokens + \
             COALESCE(e.prompt_image_tokens, 0))"
        )
    };
}
pub(super) use capped_input;

/// All tokens that came out, reasoning included.
macro_rules! capped_output {
    () => {
        $crate::store::bounds::capped!(
            "(e.completion_tokens + e.completion_audio_tokens + COALESCE(e.completion_image_tokens, 0) + \
             e.reasoning_tokens)"
        )
    };
}
pub(super) use capped_output;

/// [`crate::model::exchange::is_unpriced`] as 1 or 0, of columns with this prefix: `unpriced!("e.")`.
macro_rules! unpriced {
    ($prefix:literal) => {
        concat!(
            "CASE WHEN ",
            $prefix,
            "kind = 'llm' AND ",
            $prefix,
            "cost IS NULL AND (",
            $prefix,
            "error_rule IS NULL OR ",
            $prefix,
            "prompt_tokens IS NOT NULL) THEN 1 ELSE 0 END"
        )
    };
}
pub(super) use unpriced;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_million_calls_fit() {
        assert_eq!(capped!("x"), format!("CASE WHEN x > {MOST_ADDED} THEN {MOST_ADDED} ELSE x END"));
        assert_eq!((added(-1), added(i64::MAX)), (-1, MOST_ADDED));
        assert!(MOST_ADDED.checked_mul(1 << 22).is_some());
    }
}
