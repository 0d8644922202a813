//! Every circuit, in both styles, against integers: on all values of small words and on the extremes of larger ones.

use proptest::prelude::*;

use crate::circuit::{
    arithmetic::{
        columns::{Columns, Sign},
        compare::{Shape, argmax, at_least, max, max_of, min, relu, select},
        multiply::{add_multiples, baugh_wooley, multiply, multiply_constant},
        sums::{add, negate, popcount, subtract, sum},
    },
    netlist::{Netlist, Style},
    word::{Word, width},
};

const STYLES: [Style; 2] = [Style::AsPublished, Style::Optimized];

/// A circuit of words, evaluated: `build` gets a word an interval, `values` are theirs.
fn run(
    style: Style,
    values: &[(i64, i64, i64)],
    build: impl Fn(&mut Netlist, &[Word]) -> Vec<Word>,
) -> Vec<i64> {
    let widths: Vec<usize> =
        values.iter().map(|&(low, high, _)| width(low, high) - usize::from(low >= 0)).collect();
    let mut netlist = Netlist::new(style, widths.iter().sum());
    let mut start = 0;
    let mut words = Vec::new();
    let mut inputs = Vec::new();
    for (&(low, high, value), &width) in values.iter().zip(&widths) {
        words.push(Word::input(&netlist, start, low, high));
        start += width;
        inputs.extend((0..width).map(|bit| value >> bit & 1 == 1));
    }
    let results = build(&mut netlist, &words);
    let value = |word: &Word| {
        let value = Word::value(&netlist.simulate(&inputs, word.bits()));
        assert!((word.low()..=word.high()).contains(&value), "{value} in {} to {}", word.low(), word.high());
        value
    };
    results.iter().map(value).collect()
}

/// An interval and a value in it, often at its ends.
fn number() -> impl Strategy<Value = (i64, i64, i64)> {
    (-1_i64 << 20..1_i64 << 20, 0_i64..1 << 20, 0_u32..21, 0..4_u8, any::<u32>()).prop_map(
        |(low, size, shift, end, draw)| {
            let (low, size) = (low >> shift, size >> shift);
            let value = match end {
                0 => low,
                1 => low + size,
                _ => low + i64::from(draw) % (size + 1),
            };
            (low, low + size, value)
        },
    )
}

proptest! {
    #[test]
    fn two_words(a in number(), b in number(), published: bool) {
        let style = if published { Style::AsPublished } else { Style::Optimized };
        let (x, y) = (a.2, b.2);
        let results = run(style, &[a, b], |n, w| {
            let (a, b) = (&w[0], &w[1]);
            let compared = [Shape::Chain, Shape::Tree].map(|shape| Word::new(vec![at_least(n, a, b, shape)], 0, 1));
            let [chain, tree] = compared;
            vec![
                add(n, a, b), subtract(n, a, b), negate(n, a), multiply(n, a, b), relu(n, a), chain, tree,
                max(n, a, b, Shape::Chain), max(n, a, b, Shape::Tree), min(n, a, b, Shape::Chain),
                a.shifted_left(3), a.shifted_right(2),
            ]
        });
        let above = i64::from(x >= y);
        prop_assert_eq!(
            results,
            [x + y, x - y, -x, x * y, x.max(0), above, above, x.max(y), x.max(y), x.min(y), x << 3, x >> 2]
        );
    }

    #[test]
    fn constants(a in number(), constants in proptest::collection::vec(-100_000..100_000_i64, 1..6)) {
        for style in STYLES {
            let single = run(style, &[a], |n, w| constants.iter().map(|&c| multiply_constant(n, &w[0], c)).collect());
            prop_assert_eq!(&single, &constants.iter().map(|c| c * a.2).collect::<Vec<_>>());
        }
        // Shared multiples, modulo 2^50.
        let shared = run(Style::Optimized, &[a], |n, w| {
            let mut sums = vec![Columns::new(50); constants.len()];
            add_multiples(n, &mut sums, &w[0], &constants);
            sums.into_iter().map(|sum| Word::signed(sum.sum(n))).collect()
        });
        prop_assert_eq!(shared, constants.iter().map(|c| c * a.2).collect::<Vec<_>>());
    }

    #[test]
    fn many_words(words in proptest::collection::vec(number(), 1..8), bits: [bool; 25]) {
        for style in STYLES {
            let results = run(style, &words, |n, w| {
                let terms: Vec<_> = w.iter().map(|w| (Sign::Plus, w)).collect();
                vec![sum(n, &terms), max_of(n, w, Shape::Chain), argmax(n, w, Shape::Chain)]
            });
            let values: Vec<i64> = words.iter().map(|w| w.2).collect();
            let greatest = values.iter().max().copied().unwrap_or(0);
            let first = values.iter().position(|&value| value == greatest).unwrap_or(0);
            prop_assert_eq!(results, [values.iter().sum::<i64>(), greatest, first as i64]);

            let flags: Vec<_> = bits.iter().map(|&bit| (0, 1, i64::from(bit))).collect();
            let count = run(style, &flags, |n, w| vec![popcount(n, &w.iter().map(|w| w.bit(0)).collect::<Vec<_>>())]);
            prop_assert_eq!(count, [bits.iter().filter(|&&bit| bit).count() as i64]);
        }
    }

    /// Two rows that go on elsewhere have the sum that one would have.
    #[test]
    fn rows_keep_the_sum(words in proptest::collection::vec(number(), 1..12)) {
        let results = run(Style::Optimized, &words, |n, w| {
            let mut columns = Columns::new(30);
            w.iter().for_each(|w| columns.add(Sign::Minus, w, 1));
            let (rows, constant) = columns.rows(n);
            let mut again = Columns::new(30);
            again.add_constant(constant);
            again.add_rows(&rows);
            vec![Word::signed(again.sum(n))]
        });
        prop_assert_eq!(results, [-2 * words.iter().map(|w| w.2).sum::<i64>()]);
    }
}

/// All pairs of four bits through the published multiplier: 2n bits, not only those that the interval needs.
#[test]
fn baugh_wooley_is_the_product_on_all_its_bits() {
    for (x, y) in (-8..8).flat_map(|x| (-8..8).map(move |y| (x, y))) {
        let product = run(Style::AsPublished, &[(-8, 7, x), (-8, 7, y)], |n, w| {
            vec![Word::signed(baugh_wooley(n, w[0].bits(), w[1].bits()))]
        });
        assert_eq!(product, [x * y]);
    }
}

/// The figures that docs/circuits.md derives: n^2 ANDs and n (n - 1) full adders of five gates, less what folds at the ends.
#[test]
fn the_published_multiplier_has_the_gates_of_its_definition() {
    let mut netlist = Netlist::new(Style::AsPublished, 40);
    let word =
        |n: &Netlist, start: usize| (start..start + 20).map(|index| n.input(index)).collect::<Vec<_>>();
    let (a, b) = (word(&netlist, 0), word(&netlist, 20));
    let product = baugh_wooley(&mut netlist, &a, &b);
    assert_eq!(product.len(), 40);
    let gates = netlist.gates().len();
    assert!((2_200..=2_350).contains(&gates), "{gates}");
}

#[test]
fn selection_by_a_bit() {
    for (style, flag) in STYLES.into_iter().flat_map(|style| [(style, 0), (style, 1)]) {
        let result = run(style, &[(0, 1, flag), (-5, 9, 7), (-30, 2, -19)], |n, w| {
            let flag = w[0].bit(0);
            vec![select(n, flag, &w[1], &w[2])]
        });
        assert_eq!(result, [if flag == 1 { 7 } else { -19 }]);
    }
}

#[test]
fn columns_add_and_subtract_bits() {
    let mut netlist = Netlist::new(Style::Optimized, 2);
    let mut columns = Columns::new(4);
    columns.add_bit(Sign::Plus, netlist.input(0), 2); // 4 a - b + 1, modulo 2^4
    columns.add_bit(Sign::Minus, netlist.input(1), 0);
    columns.add_constant(1);
    let sum = columns.sum(&mut netlist);
    assert_eq!(Word::value(&netlist.simulate(&[true, true], &sum)), 4 - 1 + 1);
}

#[test]
fn a_rectified_count_knows_its_interval() {
    let mut netlist = Netlist::new(Style::Optimized, 4);
    let bits: Vec<_> = (0..4).map(|index| netlist.input(index)).collect();
    let count = popcount(&mut netlist, &bits);
    let above = subtract(&mut netlist, &count, &Word::constant(2));
    let above = relu(&mut netlist, &above);
    assert_eq!((above.low(), above.high()), (0, 2));
}
