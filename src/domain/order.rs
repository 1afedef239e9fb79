//! Putting the few things of a list in order: the standard library's sorts are built for millions,
//! and each type that they sort costs 4 KiB of program.

/// Sorts by a key; what is equal stays as it was.
pub(crate) fn sort_by_key<T, K: PartialOrd>(items: &mut [T], key: impl Fn(&T) -> K) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && key(&items[at]) < key(&items[at - 1]) {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}

/// Sorts, and leaves one of each.
pub(crate) fn sort_and_dedup<T: PartialOrd>(items: &mut Vec<T>) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && items[at] < items[at - 1] {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
    items.dedup();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(mut pairs: Vec<(u8, u8)>, mut words: Vec<String>) {
            let mut expected = pairs.clone();
            expected.sort_by_key(|pair| pair.0);
            sort_by_key(&mut pairs, |pair| pair.0);
            prop_assert_eq!(pairs, expected);
            let mut expected = words.clone();
            expected.sort();
            expected.dedup();
            sort_and_dedup(&mut words);
            prop_assert_eq!(words, expected);
        }
    }
}
