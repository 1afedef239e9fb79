//! Reading YAML that somebody else wrote, without more memory or stack than its text is worth.

use std::collections::HashMap;

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::{Yaml, YamlLoader};

/// How deep collections may lie in each other; the loader calls itself for each.
const DEPTH_LIMIT: usize = 128;

/// How many bytes a file may take once it is loaded, about; an alias takes as many as what it stands for.
const SIZE_LIMIT: usize = 16 << 20;

/// What a node takes beside its text.
const NODE_SIZE: usize = 64;

/// Reads the documents of a text.
pub(crate) fn documents(text: &str) -> Result<Vec<Yaml>, String> {
    let is_small = is_small(text).and_then(|is_small| {
        // The loader reads it only where it is known what comes of it.
        if is_small { YamlLoader::load_from_str(text).map(Some) } else { Ok(None) }
    });
    let documents = is_small.map_err(|error| format!("it is no YAML: {error}"))?;
    documents.ok_or_else(|| "its YAML is nested too deep, or too large".to_owned())
}

/// Adds up what the loader will make, event by event.
fn is_small(text: &str) -> Result<bool, yaml_rust2::ScanError> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut anchored: HashMap<usize, usize> = HashMap::new();
    let mut total = 0_usize;
    loop {
        let (made, node) = match parser.next_token()?.0 {
            Event::StreamEnd => return Ok(true),
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                open.push((anchor, NODE_SIZE));
                (NODE_SIZE, None)
            }
            Event::SequenceEnd | Event::MappingEnd => (0, open.pop()),
            Event::Scalar(text, _, anchor, _) => {
                (NODE_SIZE + text.len(), Some((anchor, NODE_SIZE + text.len())))
            }
            Event::Alias(of) => {
                let size = anchored.get(&of).copied().unwrap_or(NODE_SIZE);
                (size, Some((0, size)))
            }
            _ => (0, None),
        };
        total += made;
        if let Some((anchor, size)) = node {
            if let Some((_, above)) = open.last_mut() {
                *above += size;
            }
            // What has an anchor is kept a second time.
            if anchor > 0 {
                anchored.insert(anchor, size);
                total += size;
            }
        }
        if open.len() > DEPTH_LIMIT || total > SIZE_LIMIT {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_when_it_is_loaded_is_refused() {
        let alias =
            |at: u8| format!("x{at}: &x{at} [{}]\n", vec![format!("*x{}", at - 1); 10].join(","));
        let aliases = (1..8).map(alias).collect::<Vec<_>>().concat();
        let anchors = "&x [".repeat(100);
        let words = "word, ".repeat(10_000);
        for text in [
            format!("x0: &x0 [y]\n{aliases}"),
            "- ".repeat(100_000) + "x",
            "? ".repeat(100_000) + "x",
            format!("{anchors}{words}{}", "]".repeat(100)),
        ] {
            let refused = Err("its YAML is nested too deep, or too large".to_owned());
            assert_eq!(documents(&text), refused, "{}", &text[..40]);
        }
        let sound = format!("a: &a [{words}]\nb: *a\nc: {{<<: {{d: *a}}}}\n---\ne: 1\n");
        assert_eq!(documents(&sound).unwrap().len(), 2);
        assert!(documents("[").unwrap_err().starts_with("it is no YAML"));
    }
}
