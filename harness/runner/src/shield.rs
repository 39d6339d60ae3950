//! A panic in one cell is contained and becomes a failure of that cell.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use trailmark_core::Failure;

thread_local! {
    static SHIELDED: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs a step; a panic in it becomes a failure of class `bug` with message and place.
pub(crate) fn shield<T>(step: impl FnOnce() -> T) -> Result<T, Failure> {
    HOOK.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let kept = SHIELDED.with_borrow_mut(|slot| {
                slot.as_mut().map(|place| {
                    *place = info.location().map(ToString::to_string).unwrap_or_default();
                })
            });
            if kept.is_none() {
                default(info);
            }
        }));
    });
    let outer = SHIELDED.replace(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(step));
    let place = SHIELDED.replace(outer).unwrap_or_default();
    result.map_err(|payload| {
        let mut failure = Failure::bug(format!("panicked: {}", message(payload.as_ref())));
        if !place.is_empty() {
            failure.chain.push(format!("at {place}"));
        }
        failure
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use trailmark_core::FailureClass;

    use super::*;

    #[test]
    fn a_panic_becomes_a_failure_with_message_and_place() {
        let failure = shield(|| panic!("boom {}", 7)).unwrap_err();
        assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Bug, "panicked: boom 7"));
        assert!(failure.chain[0].contains("shield.rs"), "{:?}", failure.chain);
        assert_eq!(shield(|| 3).unwrap(), 3);
    }
}
