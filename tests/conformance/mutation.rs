//! Ways to break the engine: the entries of `mutations.txt`.

/// One way to break the engine.
pub struct Mutation {
    /// The rule and what is wrong.
    pub name: &'static str,
    /// The file of the workspace.
    pub file: &'static str,
    /// Whether it is the driver that must notice; the engine by hand is built in half the time.
    pub on_driver: bool,
    /// Its lines, each with what is to be done about it.
    lines: Vec<(Line, &'static str)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Line {
    Goes,
    Comes,
    Stays,
}

/// All of them.
///
/// # Errors
///
/// An entry that is not understood.
pub fn all() -> Result<Vec<Mutation>, String> {
    let entries = include_str!("mutations.txt").split("\n== ").skip(1);
    entries.map(parse).collect()
}

fn parse(entry: &'static str) -> Result<Mutation, String> {
    let mut lines = entry.lines().filter(|line| !line.is_empty());
    let name = lines.next().unwrap_or_default();
    let file = lines
        .next()
        .ok_or_else(|| format!("`{name}` has no file"))?;
    let (file, on_driver) = match file.strip_suffix(" on the driver") {
        Some(file) => (file, true),
        None => (file, false),
    };
    let lines = lines.map(|line| match line.split_at(1) {
        ("-", line) => Ok((Line::Goes, line)),
        ("+", line) => Ok((Line::Comes, line)),
        (" ", line) => Ok((Line::Stays, line)),
        _ => Err(format!("`{name}`: `{line}`")),
    });
    Ok(Mutation {
        name,
        file,
        on_driver,
        lines: lines.collect::<Result<_, _>>()?,
    })
}

impl Mutation {
    /// The source with the mutation.
    ///
    /// # Errors
    ///
    /// Its lines do not stand in the source exactly once: the source has changed, and the entry must
    /// follow.
    pub fn apply(&self, source: &str) -> Result<String, String> {
        let old: Vec<_> = source.lines().collect();
        let lines = |not: Line| self.lines.iter().filter(move |line| line.0 != not);
        let wanted: Vec<_> = lines(Line::Comes).map(|line| line.1).collect();
        let is_here = |part: &&[&str]| {
            part.iter()
                .map(|line| line.trim())
                .eq(wanted.iter().copied())
        };
        let places: Vec<_> = old
            .windows(wanted.len().max(1))
            .enumerate()
            .filter_map(|(place, part)| is_here(&part).then_some(place))
            .collect();
        let [place] = places.as_slice() else {
            let times = places.len();
            return Err(format!(
                "`{}` fits {} in {times} places",
                self.name, self.file
            ));
        };
        let new = lines(Line::Goes).map(|line| line.1);
        let all = old[..*place]
            .iter()
            .copied()
            .chain(new)
            .chain(old[place + wanted.len()..].iter().copied());
        Ok(all.flat_map(|line| [line, "\n"]).collect())
    }
}
