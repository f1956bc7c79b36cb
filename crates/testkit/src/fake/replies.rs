//! The answer to one command, response by response, so that a lie can edit it.

use super::octets::{contains, replace};

/// The server's behaviour after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The server reads the next command.
    On,
    /// The server closes the connection.
    HangUp,
    /// The server resets the TCP connection.
    Reset,
    /// The server keeps the connection open and sends nothing more.
    Silence,
    /// The server repeats the last response, up to 64 MiB, and closes the connection.
    Endless,
}

/// Untagged responses and the tagged one, each with its literals and its line end.
pub struct Replies {
    pub(super) tag: String,
    /// The responses in the order of sending.
    pub lines: Vec<Vec<u8>>,
    /// The behaviour after them.
    pub flow: Flow,
}

impl Replies {
    pub(super) fn new(tag: &str, out: &[u8], flow: Flow) -> Self {
        let mut lines = Vec::new();
        let mut rest = out;
        while !rest.is_empty() {
            let (line, after) = rest.split_at(response_length(rest));
            lines.push(line.to_vec());
            rest = after;
        }
        Self { tag: tag.to_owned(), lines, flow }
    }

    /// Replaces `from` by `to` in the responses that contain `has`.
    pub fn change(&mut self, has: &str, from: &str, to: &str) {
        self.change_octets(has, from.as_bytes(), to.as_bytes());
    }

    /// Replaces bytes in the responses that contain `has`.
    pub fn change_octets(&mut self, has: &str, from: &[u8], to: &[u8]) {
        for line in self.lines.iter_mut().filter(|line| contains(line, has.as_bytes())) {
            *line = replace(line, from, to);
        }
    }

    /// Replaces each response that contains `has` by these lines, or removes it if there are none.
    pub fn put(&mut self, has: &str, lines: &str) {
        let new = wire_lines(&self.tag, lines);
        let old = std::mem::take(&mut self.lines);
        self.lines = old
            .into_iter()
            .flat_map(|line| if contains(&line, has.as_bytes()) { new.clone() } else { vec![line] })
            .collect();
    }

    /// Adds these lines before everything else.
    pub fn say_first(&mut self, lines: &str) {
        self.lines.splice(0..0, wire_lines(&self.tag, lines));
    }

    /// Adds these lines right before the tagged response.
    pub fn say(&mut self, lines: &str) {
        let end = self.lines.len() - 1;
        self.lines.splice(end..end, wire_lines(&self.tag, lines));
    }

    /// Replaces the tagged response.
    pub fn end(&mut self, text: &str) {
        self.lines.pop();
        self.lines.extend(wire_lines(&self.tag, text));
    }

    /// Fails the command at the response that contains `has`. Earlier responses are sent.
    pub fn fail_at(&mut self, has: &str, text: &str) {
        if let Some(at) = self.lines.iter().position(|line| contains(line, has.as_bytes())) {
            self.lines.truncate(at + 1);
            self.end(text);
        }
    }

    /// Ends the answer this many bytes before the end of the response that contains `has`.
    pub fn cut(&mut self, has: &str, octets: usize, flow: Flow) {
        let Some(at) = self.lines.iter().position(|line| contains(line, has.as_bytes())) else { return };
        self.lines.truncate(at + 1);
        let last = &mut self.lines[at];
        last.truncate(last.len().saturating_sub(octets));
        self.flow = flow;
    }
}

/// Lines in wire form. A tag `t` is replaced by this tag.
pub(super) fn wire_lines(tag: &str, lines: &str) -> Vec<Vec<u8>> {
    let tagged = |line: &str| match line.strip_prefix("t ") {
        Some(rest) => format!("{tag} {rest}\r\n").into_bytes(),
        None => format!("{line}\r\n").into_bytes(),
    };
    lines.lines().map(tagged).collect()
}

/// Length of the first response.
fn response_length(out: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(end) = out[at..].iter().position(|octet| *octet == b'\n') else { return out.len() };
        let line = &out[at..=at + end];
        at += end + 1;
        match literal_length(line) {
            Some(length) => at += length,
            None => return at,
        }
    }
}

fn literal_length(line: &[u8]) -> Option<usize> {
    let inside = line.strip_suffix(b"}\r\n")?;
    let start = inside.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(&inside[start + 1..]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies() -> Replies {
        let out = b"* 1 FETCH (UID 1 BODY[] {4}\r\n\r\na)\r\n* 2 FETCH (UID 2)\r\na OK done\r\n";
        Replies::new("a", out, Flow::On)
    }

    #[test]
    fn an_answer_is_cut_into_responses() {
        assert_eq!(replies().lines.len(), 3);
        assert_eq!(replies().lines[1], b"* 2 FETCH (UID 2)\r\n");
    }

    #[test]
    fn responses_are_changed_replaced_and_cut() {
        let mut edited = replies();
        edited.change("(UID 1 ", "{4}", "{5}");
        edited.put("(UID 2)", "* 3 FETCH (UID 3)\n* 4 FETCH (UID 4)");
        edited.end("t NO later");
        let text = String::from_utf8(edited.lines.concat()).unwrap();
        assert_eq!(
            text,
            "* 1 FETCH (UID 1 BODY[] {5}\r\n\r\na)\r\n* 3 FETCH (UID 3)\r\n* 4 FETCH (UID 4)\r\na NO later\r\n"
        );
        edited.cut("(UID 1 ", 4, Flow::HangUp);
        assert_eq!(edited.lines.concat(), b"* 1 FETCH (UID 1 BODY[] {5}\r\n\r\n");
    }
}
