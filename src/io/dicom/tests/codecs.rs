//! Encoders of compressed pixels, and of the private header of a Siemens image.

/// A private header of a Siemens image with these numbers.
pub fn csa(numbers: &[(&str, &[f64])]) -> Vec<u8> {
    let word = |n: usize| (n as u32).to_le_bytes();
    let mut out =
        [b"SV10\x04\x03\x02\x01".to_vec(), word(numbers.len()).to_vec(), word(77).to_vec()].concat();
    for (name, values) in numbers {
        out.extend(name.bytes().chain(std::iter::repeat(0)).take(64));
        out.extend([word(values.len()), *b"FD\0\0", word(4), word(values.len() + 1), word(77)].concat());
        // An empty text is behind the last one.
        let texts = values.iter().map(f64::to_string).chain([String::new()]);
        for text in texts {
            out.extend([0, text.len(), 77, 0].map(word).concat());
            out.extend(text.bytes().chain(std::iter::repeat(0)).take(text.len().next_multiple_of(4)));
        }
    }
    out
}

/// A frame as run lengths: the high bytes, then the low bytes.
pub fn rle(frame: &[u16]) -> Vec<u8> {
    let segment = |shift: u32| {
        let mut out = Vec::new();
        let bytes: Vec<u8> = frame.iter().map(|v| (v >> shift) as u8).collect();
        for run in bytes.chunk_by(|a, b| a == b) {
            for part in run.chunks(128) {
                // Runs of one byte are literal ones.
                out.push(if part.len() == 1 { 0 } else { (257 - part.len()) as u8 });
                out.push(part[0]);
            }
        }
        out
    };
    let [high, low] = [8, 0].map(segment);
    let mut out: Vec<u8> =
        [2, 64, 64 + high.len() as u32].into_iter().chain([0; 13]).flat_map(u32::to_le_bytes).collect();
    out.extend(high);
    out.extend(low);
    out
}

/// A frame as lossless JPEG of 12 bits, by the predictor 1 or 7, with restarts after `restart` samples.
pub fn jpeg(frame: &[u16], columns: usize, predictor: u8, restart: usize) -> Vec<u8> {
    let rows = frame.len() / columns;
    let mut out = vec![0xff, 0xd8, 0xff, 0xc3, 0, 11, 12];
    out.extend([(rows >> 8) as u8, rows as u8, (columns >> 8) as u8, columns as u8, 1, 1, 0x11, 0]);
    // Seventeen codes of five bits.
    out.extend([0xff, 0xc4, 0, 36, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(0..17);
    out.extend([0xff, 0xdd, 0, 4, (restart >> 8) as u8, restart as u8]);
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0, predictor, 0, 0]);
    let (mut bits, mut held, mut begun) = (0u64, 0, 0);
    let mut push = |out: &mut Vec<u8>, value: u64, count: u32, last: bool| {
        bits = bits << count | value;
        held += count;
        if last {
            // The rest of the last byte is ones.
            let pad = (8 - held % 8) % 8;
            bits = bits << pad | ((1 << pad) - 1);
            held += pad;
        }
        while held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            out.push(byte);
            if byte == 0xff {
                out.push(0);
            }
        }
    };
    for n in 0..frame.len() {
        if restart > 0 && n > 0 && n % restart == 0 {
            push(&mut out, 0, 0, true);
            out.extend([0xff, 0xd0 + ((n / restart - 1) % 8) as u8]);
            begun = n;
        }
        let before = |back: usize| i32::from(frame[n - back]);
        let prediction = match n {
            _ if n == begun => 1 << 11,
            _ if n < begun + columns => before(1),
            _ if n % columns == 0 => before(columns),
            _ if predictor == 1 => before(1),
            _ => (before(1) + before(columns)) >> 1,
        };
        let difference = i32::from(frame[n]) - prediction;
        let size = 32 - difference.unsigned_abs().leading_zeros();
        let low = if difference < 0 { difference + (1 << size) - 1 } else { difference };
        push(&mut out, size.into(), 5, false);
        push(&mut out, low as u64, size, false);
    }
    push(&mut out, 0, 0, true);
    out.extend([0xff, 0xd9]);
    out
}
