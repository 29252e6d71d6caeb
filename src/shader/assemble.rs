//! The assembler: WGSL with four directives, each alone on its line.
//!
//! ```text
//! #use NAME            the snippet kernels/lib/NAME.wgsl, once however often it is named
//! #if NAME == 3        lines kept when the comparison holds (==, !=, <, >); `#if NAME`: when not 0
//! #else
//! #unroll i 0 NAME     the lines once for each value in 0..NAME, `$i` replaced by it
//! #end                 closes #if and #unroll
//! ```
//! A specialisation's constants stand in front of the source as `const NAME: u32 = …`, because private arrays and
//! unrolled loops need them before `override` constants have values. Loops are unrolled here, because compilers
//! downstream seldom unroll the loops that naga writes.

use crate::error::{Error, Result};

/// The snippets of `#use`, from `kernels/lib/`.
static SNIPPETS: &[(&str, &str)] = &[
    ("thread", include_str!("../../kernels/lib/thread.wgsl")),
    ("complex", include_str!("../../kernels/lib/complex.wgsl")),
    ("planes", include_str!("../../kernels/lib/planes.wgsl")),
    ("periodic", include_str!("../../kernels/lib/periodic.wgsl")),
    ("linear", include_str!("../../kernels/lib/linear.wgsl")),
    ("place", include_str!("../../kernels/lib/place.wgsl")),
    ("greater", include_str!("../../kernels/lib/greater.wgsl")),
    ("random", include_str!("../../kernels/lib/random.wgsl")),
    ("fold", include_str!("../../kernels/lib/fold.wgsl")),
    ("quad", include_str!("../../kernels/lib/quad.wgsl")),
    ("stored", include_str!("../../kernels/lib/stored.wgsl")),
    ("leaky", include_str!("../../kernels/lib/leaky.wgsl")),
    ("differences", include_str!("../../kernels/lib/differences.wgsl")),
    ("view", include_str!("../../kernels/lib/view.wgsl")),
    ("geometry", include_str!("../../kernels/lib/geometry.wgsl")),
    ("convolution", include_str!("../../kernels/lib/convolution.wgsl")),
    ("units", include_str!("../../kernels/lib/units.wgsl")),
    ("butterfly", include_str!("../../kernels/lib/butterfly.wgsl")),
];

/// Assembles the WGSL of `source` with `constants`. Errors name `kernel`.
///
/// ```
/// let wgsl = palpate::lowlevel::shader::assemble("k", "#unroll i 0 N\nx[$i] = $i;\n#end", &[("N", 2)]);
/// assert_eq!(wgsl.unwrap(), "const N: u32 = 2;\nx[0] = 0;\nx[1] = 1;\n");
/// ```
///
/// # Errors
/// [`Error::Kernel`] with the line, if a directive, snippet or constant is unknown or a block is not closed.
pub fn assemble(kernel: &str, source: &str, constants: &[(&str, u32)]) -> Result<String> {
    let mut out = String::new();
    for (name, value) in constants {
        out += &format!("const {name}: u32 = {value};\n");
    }
    let lines: Vec<_> = source.lines().map(str::to_owned).collect();
    let mut assembler = Assembler { kernel, constants, used: Vec::new(), out };
    assembler.block(&lines)?;
    Ok(assembler.out)
}

struct Assembler<'a> {
    kernel: &'a str,
    constants: &'a [(&'a str, u32)],
    used: Vec<String>,
    out: String,
}

impl Assembler<'_> {
    fn block(&mut self, lines: &[String]) -> Result<()> {
        let mut at = 0;
        while at < lines.len() {
            let words: Vec<_> = lines[at].split_whitespace().collect();
            match words.as_slice() {
                ["#use", name] => self.snippet(name)?,
                ["#if", condition @ ..] => {
                    let (divide, end) = self.span(lines, at)?;
                    let kept = if self.holds(condition, &lines[at])? {
                        &lines[at + 1..divide.unwrap_or(end)]
                    } else {
                        &lines[divide.map_or(end, |d| d + 1)..end]
                    };
                    self.block(kept)?;
                    at = end;
                }
                ["#unroll", name, from, to] => {
                    let (_, end) = self.span(lines, at)?;
                    let name = format!("${name}");
                    for i in self.value(from, &lines[at])?..self.value(to, &lines[at])? {
                        let body: Vec<_> =
                            lines[at + 1..end].iter().map(|l| substitute(l, &name, &i.to_string())).collect();
                        self.block(&body)?;
                    }
                    at = end;
                }
                [first, ..] if first.starts_with('#') => return Err(self.error("no directive", &lines[at])),
                _ => {
                    self.out += &lines[at];
                    self.out.push('\n');
                }
            }
            at += 1;
        }
        Ok(())
    }

    fn snippet(&mut self, name: &str) -> Result<()> {
        if self.used.iter().any(|u| u == name) {
            return Ok(());
        }
        self.used.push(name.into());
        let found = SNIPPETS.iter().find(|(n, _)| *n == name);
        let text = found.ok_or_else(|| self.error("no snippet for", name))?.1;
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        self.block(&lines)
    }

    /// The lines of the `#else`, if any, and of the `#end` of the block that opens at line `open`.
    fn span(&self, lines: &[String], open: usize) -> Result<(Option<usize>, usize)> {
        let (mut depth, mut divide) = (0, None);
        for (i, line) in lines.iter().enumerate().skip(open) {
            match line.split_whitespace().next() {
                Some("#if" | "#unroll") => depth += 1,
                Some("#else") if depth == 1 => divide = Some(i),
                Some("#end") if depth == 1 => return Ok((divide, i)),
                Some("#end") => depth -= 1,
                _ => {}
            }
        }
        Err(self.error("no #end for", &lines[open]))
    }

    fn holds(&self, condition: &[&str], line: &str) -> Result<bool> {
        Ok(match condition {
            [name] => self.value(name, line)? != 0,
            [a, operator, b] => {
                let (a, b) = (self.value(a, line)?, self.value(b, line)?);
                match *operator {
                    "==" => a == b,
                    "!=" => a != b,
                    "<" => a < b,
                    ">" => a > b,
                    _ => return Err(self.error("no such comparison in", line)),
                }
            }
            _ => return Err(self.error("no condition in", line)),
        })
    }

    fn value(&self, word: &str, line: &str) -> Result<u32> {
        let constant = || self.constants.iter().find(|(name, _)| *name == word).map(|c| c.1);
        let value = word.parse().ok().or_else(constant);
        value.ok_or_else(|| self.error(&format!("no value for '{word}' in"), line))
    }

    fn error(&self, what: &str, line: &str) -> Error {
        Error::kernel(self.kernel, format!("{what} '{}'", line.trim()))
    }
}

/// Replaces `name` by `value` in `line`, but not in longer names that begin with it.
fn substitute(line: &str, name: &str, value: &str) -> String {
    let mut parts = line.split(name);
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let longer = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out += if longer { name } else { value };
        out += part;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::assemble;

    #[test]
    fn blocks_nest_and_conditions_see_the_unrolled_index() {
        let source = "#unroll i 1 4\n#if $i == 2\n$ij $i_;\n#else\nx$i;\n#end\n#end\n#if N\nyes;\n#end";
        assert_eq!(
            assemble("k", source, &[("N", 1)]).unwrap(),
            "const N: u32 = 1;\nx1;\n$ij $i_;\nx3;\nyes;\n"
        );
    }

    #[test]
    fn a_snippet_comes_once() {
        let twice = assemble("k", "#use complex\n#use complex", &[]).unwrap();
        assert_eq!(twice, assemble("k", "#use complex", &[]).unwrap());
    }

    #[test]
    fn mistakes_are_named() {
        for (source, part) in [
            ("#use nothing", "nothing"),
            ("#if N\n#end", "'N'"),
            ("#unroll i 0 3\nx", "no #end"),
            ("#when", "#when"),
            ("#if 1 ~ 2\n#end", "comparison"),
        ] {
            let error = assemble("k", source, &[]).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("kernel k"), "{error}");
        }
    }
}
