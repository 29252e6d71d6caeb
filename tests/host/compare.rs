//! The comparisons that tests rest on: NaN fails every one of them.

use crate::common::compare::*;
use crate::harness::panics;

tests![nan_fails_every_assertion, nan_is_the_summary_of_what_holds_it, good_numbers_pass];

const NAN: f64 = f64::NAN;

fn nan_fails_every_assertion() {
    let assertions: [(&str, fn()); 15] = [
        ("below", || assert_below(NAN, 1.0, "")),
        ("at most", || assert_at_most(NAN, 1.0, "")),
        ("above", || assert_above(NAN, 1.0, "")),
        ("within", || assert_within(NAN, 0.0..=1.0, "")),
        ("close", || assert_close(NAN, 1.0, 1.0, "")),
        ("close to NaN", || assert_close(1.0, NAN, 1.0, "")),
        ("NaN close to NaN", || assert_close(NAN, NAN, 1.0, "")),
        ("near", || assert_near(NAN, 1.0, 1.0, "")),
        ("near 0 of 0", || assert_near(0.0, 0.0, 1.0, "")),
        ("agrees", || {
            let _ = assert_agrees(&[1.0, NAN], &[1.0, 2.0], 10.0, "");
        }),
        ("agrees with NaN", || {
            let _ = assert_agrees(&[1.0, NAN], &[1.0, NAN], 10.0, "");
        }),
        ("infinities agree", || {
            let _ = assert_agrees(&[f64::INFINITY], &[f64::INFINITY], 10.0, "");
        }),
        ("nothing agrees", || {
            let _ = assert_agrees(&[], &[], 10.0, "");
        }),
        ("covers", || assert_covers(&[1.0, f32::NAN], &[true, true])),
        ("differ", || assert_differ(&[f32::NAN], &[1.0], "")),
    ];
    for (what, assertion) in assertions {
        assert!(panics(assertion), "{what}: it passed");
    }
    assert!(!at_most(NAN, 1.0));
    assert!(relative_error_with_nan(&[1.0, NAN], &[1.0, 2.0]).is_err());
    assert!(relative_error_with_nan(&[NAN, 1.0], &[NAN, f64::INFINITY]).is_err());
    assert!(relative_error_with_nan(&[NAN], &[NAN]).is_err());
}

fn nan_is_the_summary_of_what_holds_it() {
    for values in [vec![], vec![NAN], vec![1.0, NAN, 2.0], vec![NAN, 1.0, 2.0], vec![1.0, 2.0, -NAN]] {
        let summaries = [
            largest(values.clone()),
            least(values.clone()),
            median(values.clone()),
            quantile(values.clone(), 0.0),
            quantile(values.clone(), 1.0),
        ];
        assert!(summaries.iter().all(|s| s.is_nan()), "{summaries:?} of {values:?}");
    }
}

fn good_numbers_pass() {
    let values = [3.0, -1.0, 2.0, 8.0];
    assert_eq!([largest(values), least(values), median(values)], [8.0, -1.0, 3.0]);
    assert_eq!([0.0, 0.3, 1.0].map(|share| quantile(values, share)), [-1.0, 2.0, 8.0]);
    assert_below(1.0, 2.0, "");
    assert_at_most(2.0f32, 2.0, "");
    assert_above(3, 2.0, "");
    assert_within(2.0, 2.0..=3.0, "");
    assert_close(1.0, 1.5, 0.5, "");
    assert_near(2.1, 2.0, 0.051, "");
    assert!(at_most(1.0, 1.0) && !at_most(1.1, 1.0));
    assert_covers(&[1.0, 0.0, 2.0, 0.0], &[true, false]);
    assert_differ(&[1.0], &[2.0], "");
    assert_close(assert_agrees(&[3.0, 4.1], &[3.0, 4.0], 0.021, ""), 0.02, 1e-12, "relative error");
    assert_eq!(relative_error_with_nan(&[NAN, 2.0], &[NAN, 2.0]), Ok(0.0));
    for failing in [|| assert_below(2.0, 2.0, ""), || assert_above(2.0, 2.0, "")] {
        assert!(panics(failing));
    }
}
