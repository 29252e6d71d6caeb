//! Lossless JPEG (process 14) of one component, with 2 to 16 bits.
//!
//! This is our own decoder because the crate `jpeg-decoder` (0.3) passes over restarts where a sample is predicted by its
//! left neighbour, and predicts from samples that are already shifted where there is a point transform.

/// A Huffman table: for each length of code, the first code and its place among the symbols.
#[derive(Clone, Default)]
struct Table {
    counts: [usize; 16],
    symbols: Vec<u8>,
}

/// Decodes an image of `columns` and `rows`.
///
/// # Errors
/// A clause that says what is wrong with the file.
pub(super) fn decode(bytes: &[u8], columns: usize, rows: usize) -> Result<Vec<u16>, String> {
    decoded(bytes, columns, rows).map_err(|what| format!("is corrupt: its JPEG image {what}"))
}

fn decoded(bytes: &[u8], columns: usize, rows: usize) -> Result<Vec<u16>, String> {
    let mut at = Segments { bytes };
    if at.take(2) != Some(&[0xff, 0xd8]) {
        return Err("does not begin as one".into());
    }
    let mut tables: [Option<Table>; 4] = Default::default();
    let (mut precision, mut restart) = (0, 0);
    loop {
        let (marker, body) = at.segment().ok_or("ends before its pixels")?;
        match (marker, body) {
            (0xc4, body) => huffman(body, &mut tables).ok_or("has a damaged table of codes")?,
            (0xdd, [high, low, ..]) => restart = usize::from(*high) << 8 | usize::from(*low),
            (0xc3, [bits, y1, y0, x1, x0, components, ..]) => {
                let size =
                    [[x1, x0], [y1, y0]].map(|[high, low]| usize::from(*high) << 8 | usize::from(*low));
                if *components != 1 || !(2..=16).contains(bits) {
                    return Err(format!("has {components} components of {bits} bits"));
                }
                if size != [columns, rows] {
                    return Err(format!("has {} × {} pixels, not {columns} × {rows}", size[0], size[1]));
                }
                precision = u32::from(*bits);
            }
            (0xc0..=0xcf, _) if marker != 0xc8 && marker != 0xcc => {
                return Err("is not stored by the lossless process".into());
            }
            (0xda, [1, _, table, predictor, _, low]) => {
                let table = tables.get(usize::from(table >> 4)).cloned().flatten();
                let table = table.ok_or("names a table of codes that it lacks")?;
                let shift = u32::from(low & 15);
                if !(1..=7).contains(predictor) || precision == 0 || shift >= precision {
                    return Err("has a damaged head of its scan".into());
                }
                let bits = Bits { bytes: at.bytes, at: 0, buffer: 0, held: 0 };
                let scan =
                    Scan { table, predictor: *predictor, start: 1 << (precision - shift - 1), restart };
                let mut samples = scan.samples(bits, columns, rows)?;
                samples.iter_mut().for_each(|v| *v <<= shift);
                return Ok(samples);
            }
            (0xd9 | 0xda, _) => return Err("has a damaged head of its scan".into()),
            _ => {}
        }
    }
}

struct Segments<'a> {
    bytes: &'a [u8],
}

impl<'a> Segments<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(head)
    }

    /// The next marker and the bytes that belong to it.
    fn segment(&mut self) -> Option<(u8, &'a [u8])> {
        let [0xff, mut marker] = *self.take(2)?.first_chunk::<2>()? else { return None };
        while marker == 0xff {
            marker = self.take(1)?[0];
        }
        let length = self.take(2)?;
        let length = usize::from(length[0]) << 8 | usize::from(length[1]);
        Some((marker, self.take(length.checked_sub(2)?)?))
    }
}

/// Reads the tables of a segment.
fn huffman(mut body: &[u8], tables: &mut [Option<Table>; 4]) -> Option<()> {
    while let [place, rest @ ..] = body {
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let counts = counts.map(usize::from);
        let (symbols, rest) = rest.split_at_checked(counts.iter().sum())?;
        // Tables of the other class are those of lossy images.
        if place >> 4 == 0 {
            *tables.get_mut(usize::from(*place))? = Some(Table { counts, symbols: symbols.to_vec() });
        }
        body = rest;
    }
    Some(())
}

/// The bits of a scan. Behind the last byte and at a marker there are zeros.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    buffer: u64,
    held: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        if self.held == 0 {
            let byte = *self.bytes.get(self.at)?;
            let stuffed = byte == 0xff;
            // A byte of ones that is no marker has a zero behind it.
            if stuffed && *self.bytes.get(self.at + 1)? != 0 {
                return None;
            }
            self.at += 1 + usize::from(stuffed);
            (self.buffer, self.held) = (byte.into(), 8);
        }
        self.held -= 1;
        Some((self.buffer >> self.held) as u32 & 1)
    }

    fn symbol(&mut self, table: &Table) -> Option<u8> {
        let (mut code, mut first, mut place) = (0usize, 0usize, 0usize);
        for count in table.counts {
            code = code << 1 | self.bit()? as usize;
            first <<= 1;
            if code < first + count {
                return table.symbols.get(place + code.checked_sub(first)?).copied();
            }
            first += count;
            place += count;
        }
        None
    }

    /// The next difference.
    fn difference(&mut self, table: &Table) -> Option<i32> {
        match self.symbol(table)? {
            0 => Some(0),
            16 => Some(32768),
            size @ 1..=15 => {
                let mut value = 0;
                for _ in 0..size {
                    value = value << 1 | self.bit()? as i32;
                }
                Some(if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
            }
            _ => None,
        }
    }

    /// Passes over the marker of a restart.
    fn restart(&mut self) -> Option<()> {
        self.held = 0;
        let marker =
            self.bytes.get(self.at..)?.windows(2).position(|pair| pair[0] == 0xff && pair[1] != 0)?;
        (0xd0..=0xd7).contains(&self.bytes[self.at + marker + 1]).then_some(())?;
        self.at += marker + 2;
        Some(())
    }
}

struct Scan {
    table: Table,
    predictor: u8,
    /// The prediction of the first sample.
    start: i32,
    /// Samples between restarts; 0 for none.
    restart: usize,
}

impl Scan {
    fn samples(&self, mut bits: Bits, columns: usize, rows: usize) -> Result<Vec<u16>, String> {
        let mut out = vec![0u16; columns * rows];
        // The first row after a restart is predicted like the first row of the image.
        let mut begun = 0;
        for n in 0..columns * rows {
            let fault = || format!("is damaged at pixel {n}");
            if self.restart > 0 && n > 0 && n % self.restart == 0 {
                bits.restart().ok_or_else(fault)?;
                begun = n;
            }
            let x = n % columns;
            let before = |back: usize| i32::from(out[n - back]);
            let prediction = if n == begun {
                self.start
            } else if n < begun + columns {
                before(1)
            } else if x == 0 {
                before(columns)
            } else {
                let (a, b, c) = (before(1), before(columns), before(columns + 1));
                match self.predictor {
                    1 => a,
                    2 => b,
                    3 => c,
                    4 => a + b - c,
                    5 => a + ((b - c) >> 1),
                    6 => b + ((a - c) >> 1),
                    _ => (a + b) >> 1,
                }
            };
            let difference = bits.difference(&self.table).ok_or_else(fault)?;
            out[n] = (prediction + difference) as u16;
        }
        Ok(out)
    }
}
