//! Which character stands between the columns of a text, from its first lines.

/// Characters that are tried, the likeliest first.
const CANDIDATES: [u8; 5] = [b',', b';', b'\t', b'|', b' '];

/// The delimiter of `text`, the beginning of a file: of the candidates that occur, and equally often in each of the
/// first whole lines, the one that makes most columns; a comma where none does (one column).
///
/// What stands in quotes does not count. Blank lines and a comma inside decimals (`1,5;2,5`) are no obstacle: the
/// semicolon is as regular, and where both make as many columns the one named first here wins: `,` `;` tab `|` space.
/// Spaces at the ends of lines do not count, other delimiters there stand beside empty columns.
pub fn detect_delimiter(text: &[u8]) -> u8 {
    // The last line may be cut off; a text of one line is taken as it is.
    let whole = match text.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => &text[..end],
        None => text,
    };
    let count = |line: &[u8], delimiter: u8| {
        let mut quoted = false;
        let outside = line.iter().filter(|byte| {
            quoted ^= **byte == b'"';
            !quoted && **byte == delimiter
        });
        outside.count()
    };
    let columns = |delimiter: u8| {
        let mut lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let in_line = |line: &[u8]| match delimiter {
            b' ' => count(line.trim_ascii(), delimiter),
            _ => count(line, delimiter),
        };
        let first = lines.next().map_or(0, in_line);
        let regular = lines.take(100).all(|line| in_line(line) == first);
        if regular { first } else { 0 }
    };
    let mut best = (0, b',');
    for delimiter in CANDIDATES {
        let columns = columns(delimiter);
        // A date and a time in one column have a space in each line, too.
        if columns > best.0 && (delimiter != b' ' || best.0 == 0) {
            best = (columns, delimiter);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regular_one_wins() {
        let cases: [(&str, u8); 12] = [
            ("timestamp,value\n2014-04-01 00:00:00,20.0\n2014-04-01 00:05:00,20.0\n", b','),
            ("a;b;c\n1,5;2,5;3\n2;3;4,5\n", b';'),
            ("a\tb c\n1\t2 3\n", b'\t'),
            ("-0.0031 0.083\n0.0188 0.083\n0.02", b' '),
            ("1|2|3\n4|5|6\n", b'|'),
            ("\"a,b\";\"c\"\n1;2\n", b';'),
            ("732.3785\n845.3342\n", b','),
            ("2014-04-01 00:00:00;20\n2014-04-01 00:05:00;21\n\n", b';'),
            ("1;2", b';'),
            ("date\ta\tb\n2014-04-01\t1\t\n2014-04-02\t\t\r\n", b'\t'),
            (" 1 2 \n3 4\n", b' '),
            ("", b','),
        ];
        for (text, delimiter) in cases {
            assert_eq!(char::from(detect_delimiter(text.as_bytes())), char::from(delimiter), "{text}");
        }
    }
}
