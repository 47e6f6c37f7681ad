//! [`Model`] → the picture of the machine, as SVG for its page in the documentation.
//!
//! The layout follows the source and searches for nothing: the states stand in a column, their
//! transitions hang below them as rows, and a state that can be reached has a lane on the right,
//! which collects the rows that lead to it and ends at its box. A line has a height of its own and a
//! lane a stretch of its own, so lines cross but never run over each other, over a box or over a
//! text.
//!
//! Lengths are pixels. Everything has the colour of the text around it, so that it fits every theme
//! of rustdoc.

use std::fmt::Write;

use syn::ext::IdentExt;

use crate::model::{Model, State};

/// The width of a character: a font has 0.6 of its size, here 13, and a bit is to spare.
const CHARACTER: usize = 8;
/// Around everything.
const MARGIN: usize = 4;
/// Where the boxes begin; the marks of initial states are left of it.
const LEFT: usize = MARGIN + 40;
const BOX: usize = 30;
/// Between the border of a box and its title.
const INSIDE: usize = 14;
const ROW: usize = 24;
/// Between a state with its rows and the next one.
const BETWEEN: usize = 18;
/// Where the stem of the rows hangs from the box, and where their labels begin.
const STEM: usize = LEFT + 16;
const LABEL: usize = STEM + 20;
/// From the longest text to the first lane, and from lane to lane.
const BESIDE: usize = 26;
const LANE: usize = 14;
/// The radius of a bend.
const BEND: usize = 7;

/// Where everything is.
pub(crate) struct Layout {
    pub(crate) states: Vec<Place>,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Where a state is.
pub(crate) struct Place {
    pub(crate) title: String,
    /// What the state's comment begins with.
    pub(crate) docs: Option<String>,
    pub(crate) initial: bool,
    pub(crate) terminal: bool,
    /// The upper border of its box.
    pub(crate) top: usize,
    /// All boxes have the same.
    pub(crate) right: usize,
    pub(crate) rows: Vec<Row>,
    /// What leads to it, if anything does.
    pub(crate) lane: Option<Lane>,
}

/// A transition.
pub(crate) struct Row {
    pub(crate) middle: usize,
    pub(crate) label: Option<String>,
    /// The place of the target among the states.
    pub(crate) to: usize,
    /// The lane of the target.
    pub(crate) x: usize,
}

/// A vertical line from the first to the last of the target's box and the rows that lead to it.
#[derive(Clone, Copy)]
pub(crate) struct Lane {
    pub(crate) x: usize,
    pub(crate) top: usize,
    pub(crate) bottom: usize,
}

/// The picture in Markdown: it has no blank line, which would end the HTML.
pub(crate) fn svg(model: &Model) -> String {
    draw(&model.name.unraw().to_string(), &layout(model))
}

pub(crate) fn layout(model: &Model) -> Layout {
    let mut y = MARGIN;
    let mut states: Vec<_> = model
        .states
        .iter()
        .map(|state| {
            let place = place(model, state, y);
            y += BOX + place.rows.len() * ROW + BETWEEN;
            place
        })
        .collect();
    let right = |text: &str, from: usize| from + columns(text) * CHARACTER;
    let boxes = states.iter().map(|place| right(&place.title, LEFT));
    let boxes = boxes.max().unwrap_or(LEFT) + 2 * INSIDE;
    let labels = states.iter().flat_map(|place| &place.rows);
    let labels = labels.filter_map(|row| row.label.as_deref());
    let labels = labels.map(|label| right(label, LABEL)).max();
    let first = boxes.max(labels.unwrap_or(LABEL)) + BESIDE;

    let spans: Vec<_> = (0..states.len()).map(|to| span(&states, to)).collect();
    let tracks = tracks(&spans);
    let x = |to: usize| first + tracks[to] * LANE;
    for (to, (place, span)) in states.iter_mut().zip(&spans).enumerate() {
        place.right = boxes;
        place.lane = span.map(|(top, bottom)| Lane {
            x: x(to),
            top,
            bottom,
        });
        for row in &mut place.rows {
            row.x = x(row.to);
        }
    }
    let last = states.iter().filter_map(|place| place.lane);
    let last = last.map(|lane| lane.x).max().unwrap_or(boxes);
    Layout {
        states,
        width: last + MARGIN,
        // A machine has at least one state.
        height: y - BETWEEN + MARGIN,
    }
}

/// A state with its rows; what is right of them is not known yet.
fn place(model: &Model, state: &State, top: usize) -> Place {
    let rows = model.edges(state).enumerate().map(|(row, edge)| Row {
        middle: top + BOX + row * ROW + ROW / 2 + 2,
        label: edge.label.and_then(|label| line(&label.value())),
        to: edge.to.place(),
        x: 0,
    });
    Place {
        title: state.title(),
        docs: state.docs.summary().as_deref().and_then(line),
        initial: state.initial.is_some(),
        terminal: state.terminal.is_some(),
        top,
        right: 0,
        rows: rows.collect(),
        lane: None,
    }
}

/// A text as one line, in which a browser shows every space as one. A line break could end the HTML,
/// and XML has no other control characters.
fn line(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

impl Place {
    pub(crate) fn middle(&self) -> usize {
        self.top + BOX / 2
    }
}

/// From where to where the lane of a state goes.
fn span(states: &[Place], to: usize) -> Option<(usize, usize)> {
    let rows = states.iter().flat_map(|place| &place.rows);
    let rows = rows.filter(|row| row.to == to).map(|row| row.middle);
    let (first, last) = (rows.clone().min()?, rows.max()?);
    let own = states[to].middle();
    Some((first.min(own), last.max(own)))
}

/// A track for each span, so that spans on the same one do not meet: as few as can be, and those
/// with short spans first, which makes for few crossings.
pub(crate) fn tracks(spans: &[Option<(usize, usize)>]) -> Vec<usize> {
    let mut order: Vec<_> = (0..spans.len()).collect();
    order.sort_by_key(|&at| spans[at]);
    // The end of the last span on each track, and the longest span.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut tracks = vec![0; spans.len()];
    for at in order {
        let Some((top, bottom)) = spans[at] else {
            continue;
        };
        let free = ends.iter().position(|&(end, _)| end < top);
        tracks[at] = free.unwrap_or_else(|| {
            ends.push((0, 0));
            ends.len() - 1
        });
        let (end, longest) = &mut ends[tracks[at]];
        *end = bottom;
        *longest = (*longest).max(bottom - top);
    }
    let mut short_first: Vec<_> = (0..ends.len()).collect();
    short_first.sort_by_key(|&track| ends[track].1);
    let mut moved = vec![0; ends.len()];
    for (to, from) in short_first.into_iter().enumerate() {
        moved[from] = to;
    }
    spans
        .iter()
        .zip(tracks)
        .map(|(span, track)| span.map_or(0, |_| moved[track]))
        .collect()
}

/// How wide a text is, in characters of a font where all have the same width, but for symbols and the
/// letters of East Asia, which have two.
pub(crate) fn columns(text: &str) -> usize {
    let wide = |c| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2600}'..='\u{27bf}' | '\u{2e80}'..);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

fn draw(machine: &str, layout: &Layout) -> String {
    let Layout { width, height, .. } = layout;
    let mut svg = format!(
        "<div>\n\
         <svg role=\"img\" aria-label=\"States and transitions of {}\" xmlns=\"http://www.w3.org/2000/svg\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         style=\"max-width:100%;height:auto\" font-family=\"'Source Code Pro',monospace\" font-size=\"13\" \
         fill=\"none\" stroke=\"currentColor\">",
        escaped(machine)
    );
    for place in &layout.states {
        state(&mut svg, place);
        for row in &place.rows {
            transition(&mut svg, place, row, &layout.states[row.to]);
        }
        if let Some(lane) = place.lane {
            arrive(&mut svg, place, lane);
        }
    }
    svg.push_str("\n</svg>\n</div>");
    svg
}

/// A box; an arrow that comes from a dot if a machine may start there, and a second border if it
/// ends there.
fn state(svg: &mut String, place: &Place) {
    let Place {
        title, top, right, ..
    } = place;
    let (middle, wide) = (place.middle(), right - LEFT);
    let (x, name) = (LEFT + wide / 2, escaped(title));
    let mark = match (place.initial, place.terminal) {
        (true, _) => " (initial)",
        (_, true) => " (terminal)",
        _ => "",
    };
    let docs = place
        .docs
        .as_ref()
        .map_or_else(String::new, |docs| format!(": {}", escaped(docs)));
    let border = |inset: usize| {
        format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            LEFT + inset,
            top + inset,
            wide - 2 * inset,
            BOX - 2 * inset,
            8 - inset,
        )
    };
    let _ = write!(svg, "\n<g><title>{name}{mark}{docs}</title>{}", border(0));
    if place.terminal {
        svg.push_str(&border(3));
    }
    if place.initial {
        let (dot, from, to) = (MARGIN + 6, MARGIN + 11, LEFT - 7);
        let _ = write!(
            svg,
            "<circle cx=\"{dot}\" cy=\"{middle}\" r=\"5\" fill=\"currentColor\"/>\
             <path d=\"M{from} {middle}H{to}\"/>\
             <path d=\"M{LEFT} {middle}l-9 -4v8z\" fill=\"currentColor\" stroke=\"none\"/>"
        );
    }
    let _ = write!(
        svg,
        "{}</g>",
        text(
            x,
            middle,
            " font-weight=\"600\" text-anchor=\"middle\"",
            &name
        )
    );
    if let Some(last) = place.rows.last() {
        let end = last.middle - BEND;
        let _ = write!(svg, "\n<path d=\"M{STEM} {}V{end}\"/>", top + BOX);
    }
}

/// From the stem past the label into the lane of the target.
fn transition(svg: &mut String, from: &Place, row: &Row, to: &Place) {
    let Row { middle, x, .. } = *row;
    let (source, target) = (escaped(&from.title), escaped(&to.title));
    let label = row.label.as_deref().map(escaped);
    let said = label
        .as_ref()
        .map_or_else(String::new, |label| format!(": {label}"));
    let _ = write!(
        svg,
        "\n<g><title>{source} → {target}{said}</title><path d=\"M{STEM} {}q0 {BEND} {BEND} {BEND}",
        middle - BEND
    );
    if let Some(label) = &row.label {
        let past = LABEL + columns(label) * CHARACTER + 5;
        let _ = write!(svg, "H{}M{past} {middle}", LABEL - 5);
    }
    // It turns to where the target is.
    let (turn, sign) = if middle < to.middle() {
        (middle + BEND, "")
    } else {
        (middle - BEND, "-")
    };
    let _ = write!(svg, "H{}q{BEND} 0 {BEND} {sign}{BEND}\"/>", x - BEND);
    // At its ends the lane is but a bend of the line.
    let joins = |lane: Lane| lane.top < middle && middle < lane.bottom;
    if to.lane.is_some_and(joins) {
        let _ = write!(
            svg,
            "<circle cx=\"{x}\" cy=\"{turn}\" r=\"2.5\" fill=\"currentColor\"/>"
        );
    }
    if let Some(label) = label {
        svg.push_str(&text(LABEL, middle, "", &label));
    }
    svg.push_str("</g>");
}

/// The lane of a state, and from it the arrow into the box.
fn arrive(svg: &mut String, place: &Place, lane: Lane) {
    let Lane { x, top, bottom } = lane;
    let (middle, right) = (place.middle(), place.right);
    let (beside, arrow) = (x - BEND, right + 7);
    svg.push_str("\n<path d=\"");
    for end in [top, bottom] {
        if end < middle {
            let _ = write!(
                svg,
                "M{x} {}V{}q0 {BEND} -{BEND} {BEND}",
                end + BEND,
                middle - BEND
            );
        } else if end > middle {
            let _ = write!(
                svg,
                "M{x} {}V{}q0 -{BEND} -{BEND} -{BEND}",
                end - BEND,
                middle + BEND
            );
        }
    }
    let _ = write!(
        svg,
        "M{beside} {middle}H{arrow}\"/>\
         <path d=\"M{right} {middle}l9 -4v8z\" fill=\"currentColor\" stroke=\"none\"/>"
    );
}

fn text(x: usize, y: usize, attributes: &str, escaped: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" dy=\".35em\"{attributes} fill=\"currentColor\" stroke=\"none\">{escaped}</text>"
    )
}

/// The text as XML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
