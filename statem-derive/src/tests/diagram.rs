//! The pictures, as text and as numbers.

use std::collections::BTreeSet;

use expect_test::expect_file;
use proc_macro2::TokenStream;
use quote::quote;

use crate::diagram::{Layout, Place, columns, layout, svg, tracks};
use crate::model::{self, Model};
use crate::{parse, report};

#[test]
fn the_picture_of_a_turnstile() {
    let turnstile = quote! {
        #[machine(event = Event)]
        enum Turnstile {
            /// It turns for
            /// nobody.
            ///
            /// Never.
            #[initial]
            #[to(Unlocked = "coin")]
            Locked,
            #[to(Locked = "push", Unlocked)]
            Unlocked,
            #[terminal]
            Broken,
        }
    };
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/tests/diagram/turnstile.html"
    );
    expect_file![file].assert_eq(&of(turnstile, svg));
}

#[test]
fn the_picture_of_a_connection() {
    let connection = quote! {
        #[machine(event = Event)]
        #[to(Closed = "stop")]
        enum Connection {
            #[to(Connecting)]
            Waiting(Waiting),
            #[initial]
            #[to(Connecting = "start")]
            Idle,
            #[to(Connected = "up", Waiting = "failed", Connecting)]
            Connecting(Connecting),
            #[to(Waiting = "lost", Idle)]
            Connected(Connected),
            #[terminal]
            Closed,
        }
    };
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/tests/diagram/connection.html"
    );
    expect_file![file].assert_eq(&of(connection, svg));
}

#[test]
fn nothing_lies_over_anything_else() {
    let mut pictures = 0;
    for (states, edges) in [(1, 0), (1, 1), (2, 1), (3, 9), (7, 20), (12, 40), (30, 90)] {
        for seed in 0..30 {
            let (layout, svg) = of(machine(states, edges, seed), |model| {
                (layout(model), svg(model))
            });
            assert_apart(&layout);
            assert_drawn(&layout, &svg);
            pictures += 1;
        }
    }
    assert_eq!(pictures, 210);
}

/// Every line across has a height of its own, every line down a stretch of its own right of all
/// boxes and texts, and every transition is in the lane of its target, which ends at its box.
fn assert_apart(layout: &Layout) {
    let Layout {
        states,
        width,
        height,
    } = layout;
    let mut across = BTreeSet::new();
    let mut down: Vec<(usize, usize, usize)> = Vec::new();
    let mut y = 0;
    for place in states {
        let lines = place.rows.iter().map(|row| row.middle);
        // Boxes and rows follow each other: half of a text of 13 pixels is above its line.
        assert!(y < place.top, "{y} {}", place.top);
        y = place.top + 30;
        for middle in lines {
            assert!(y + 7 < middle);
            y = middle + 7;
            assert!(across.insert(middle));
        }
        if let Some(lane) = place.lane {
            assert!(across.insert(place.middle()));
            assert!(lane.top < lane.bottom);
            assert!((lane.top..=lane.bottom).contains(&place.middle()));
            for &(x, top, bottom) in &down {
                assert!(x != lane.x || bottom < lane.top || lane.bottom < top);
            }
            down.push((lane.x, lane.top, lane.bottom));
        }
    }
    assert!(y < *height);
    let texts = states.iter().flat_map(|place| &place.rows);
    let texts = texts.filter_map(|row| row.label.as_deref());
    let texts: Vec<_> = texts.map(columns).collect();
    for place in states {
        assert!(columns(&place.title) * 8 < place.right - 44);
        for row in &place.rows {
            let to = states[row.to].lane.expect("a target has a lane");
            assert_eq!(row.x, to.x);
            assert!((to.top..=to.bottom).contains(&row.middle));
        }
        if let Some(lane) = place.lane {
            assert!(lane.x > place.right && lane.x < *width);
            for text in &texts {
                assert!(lane.x > 80 + text * 8);
            }
        }
        let led_to = states.iter().flat_map(|place| &place.rows);
        let led_to = led_to.filter(|row| states[row.to].title == place.title);
        assert_eq!(led_to.count() > 0, place.lane.is_some());
    }
}

/// Every transition bends into the lane of its target, towards it, and every lane ends in an arrow.
fn assert_drawn(layout: &Layout, svg: &str) {
    for place in &layout.states {
        for row in &place.rows {
            let (from, to) = (row.middle - 7, &layout.states[row.to]);
            let line = svg
                .lines()
                .find(|line| line.contains(&format!("M60 {from}q")));
            let down = if row.middle < to.middle() { "" } else { "-" };
            let end = format!("H{}q7 0 7 {down}7\"/>", row.x - 7);
            let title = format!("<title>{} → {}", place.title, to.title);
            assert!(
                line.is_some_and(|line| line.contains(&end) && line.contains(&title)),
                "{end} {title} in:\n{svg}"
            );
        }
        let arrow = format!("M{} {}l9 -4v8z", place.right, place.middle());
        assert_eq!(svg.contains(&arrow), place.lane.is_some(), "{arrow}");
    }
}

#[test]
fn states_and_rows_come_in_the_order_of_the_source() {
    let layout = of(
        quote! {
            #[machine(event = Event)]
            #[to(Mole = "dig", Zebra)]
            enum Machine {
                #[initial]
                #[to(Ant = "b", Zebra = "a")]
                Zebra,
                r#Ant,
                #[terminal]
                Mole,
            }
        },
        layout,
    );
    let rows = |place: &Place| {
        let rows = place.rows.iter();
        let rows = rows.map(|row| (row.to, row.label.clone().unwrap_or_default()));
        rows.collect::<Vec<_>>()
    };
    let rows: Vec<_> = layout.states.iter().map(rows).collect();
    let titles: Vec<_> = layout.states.iter().map(|place| &place.title).collect();
    assert_eq!(titles, ["Zebra", "Ant", "Mole"]);
    let row = |to, label: &str| (to, label.to_owned());
    assert_eq!(
        rows,
        [
            vec![row(1, "b"), row(0, "a"), row(2, "dig"), row(0, "")],
            vec![row(2, "dig"), row(0, "")],
            vec![],
        ]
    );
}

#[test]
fn there_are_as_few_tracks_as_can_be_and_short_spans_are_on_the_first() {
    assert_eq!(tracks(&[]), [0; 0]);
    assert_eq!(tracks(&[None, Some((1, 9)), None]), [0, 0, 0]);
    // Of the two that meet the short one is nearer, and a third one fits behind it.
    let spans = [Some((0, 90)), Some((10, 20)), Some((30, 40))];
    assert_eq!(tracks(&spans), [1, 0, 0]);
    // Those that share an end meet.
    assert_eq!(tracks(&[Some((0, 10)), Some((10, 30))]), [0, 1]);
    for seed in 0..100 {
        let mut random = random(seed);
        let spans: Vec<_> = (0..20)
            .map(|_| (random(50), 1 + random(30)))
            .map(|(top, length)| Some((top, top + length)))
            .collect();
        let at = |y: usize| {
            let meet = spans.iter().flatten();
            meet.filter(|(top, bottom)| (*top..=*bottom).contains(&y))
                .count()
        };
        let used = tracks(&spans).into_iter().max().map(|last| last + 1);
        assert_eq!(used, (0..90).map(at).max(), "{spans:?}");
    }
}

#[test]
fn texts_cannot_end_the_picture() {
    let machine = quote! {
        #[machine(event = Event)]
        enum Machine {
            /// Is <b>bold</b> & "quoted"
            /// [`code`].
            #[initial]
            #[to(One = "</text></svg>\n\n<script>'\"&amp;\u{0}\r\n\n*a*")]
            One,
        }
    };
    let svg = of(machine, svg);
    let label = "&lt;/text&gt;&lt;/svg&gt; &lt;script&gt;'&quot;&amp;amp; *a*";
    assert!(svg.contains(&format!(">{label}</text>")), "{svg}");
    assert!(svg.contains(&format!("<title>One → One: {label}</title>")));
    let docs = "Is &lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot; [`code`].";
    assert!(svg.contains(&format!("<title>One (initial): {docs}</title>")));
    assert!(svg.lines().all(|line| !line.trim().is_empty()), "{svg}");
    assert!(svg.starts_with("<div>\n") && svg.ends_with("\n</div>"));
}

#[test]
fn a_blank_label_is_none() {
    let machine = quote! {
        #[machine(event = Event)]
        enum Machine {
            #[initial]
            #[to(One = " \n")]
            One,
        }
    };
    let layout = of(machine, layout);
    assert_eq!(layout.states[0].rows[0].label, None);
}

#[test]
fn symbols_and_letters_of_east_asia_are_twice_as_wide() {
    assert_eq!(columns("push"), 4);
    assert_eq!(columns("größer"), 6);
    assert_eq!(columns("押す → ⚠"), 9);
}

/// What is made of the machine.
fn of<T>(input: TokenStream, make: impl FnOnce(&Model) -> T) -> T {
    let input = syn::parse2(input).expect("an item");
    let report = report::Report::new();
    let ast = parse::parse(&input, &report);
    let model = model::resolve(&ast, &report);
    assert!(report.finish().is_ok(), "the machine has no mistakes");
    make(&model)
}

/// A machine with transitions somewhere, labels of some length, and the middle state initial.
fn machine(states: usize, edges: usize, seed: usize) -> TokenStream {
    let mut random = random(seed);
    let mut to = vec![String::new(); states];
    for _ in 0..edges {
        let label = match random(3) {
            0 => String::new(),
            length => format!(" = \"{}\"", "label ".repeat(length * random(4))),
        };
        to[random(states)] += &["#[to(S", &random(states).to_string(), &label, ")]"].concat();
    }
    to[states / 2] += "#[initial]";
    let states: Vec<_> = (0..states).map(|at| format!("{} S{at}", to[at])).collect();
    let source = format!("#[machine(event = ())] enum Big {{ {} }}", states.join(","));
    source.parse().expect("it is Rust")
}

/// Numbers below what it is given, the same for the same seed.
fn random(seed: usize) -> impl FnMut(usize) -> usize {
    let mut state = seed as u64;
    move |below| {
        // Knuth's MMIX.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    }
}
