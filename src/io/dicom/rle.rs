//! DICOM's run lengths. The bytes of equal weight of all samples form a segment, the highest first.

/// Decodes a frame to little-endian samples of `size` bytes.
///
/// # Errors
/// A clause that says what is wrong with the file.
pub(super) fn decode(bytes: &[u8], pixels: usize, size: usize) -> Result<Vec<u8>, String> {
    let word =
        |n: usize| bytes.get(4 * n..4 * n + 4).and_then(<[u8]>::first_chunk).map(|b| u32::from_le_bytes(*b));
    let segments = word(0).ok_or("is corrupt: a compressed frame has no head")? as usize;
    if segments != size || bytes.len() < 64 {
        return Err(format!("is corrupt: a compressed frame has {segments} segments in place of {size}"));
    }
    let mut out = vec![0; pixels * size];
    for segment in 0..size {
        let start = word(1 + segment).unwrap_or(0) as usize;
        let end = if segment + 1 < size { word(2 + segment).unwrap_or(0) as usize } else { bytes.len() };
        let runs = bytes.get(start..end).filter(|_| start >= 64);
        let runs = runs.ok_or("is corrupt: a segment lies outside of its compressed frame")?;
        let filled = unpack(runs, pixels, |n, byte| out[n * size + size - 1 - segment] = byte);
        if filled < pixels {
            return Err(format!("is truncated: a compressed frame holds {filled} of {pixels} samples"));
        }
    }
    Ok(out)
}

/// Calls `put` for each of at most `limit` bytes, and returns their number.
fn unpack(mut runs: &[u8], limit: usize, mut put: impl FnMut(usize, u8)) -> usize {
    let mut n = 0;
    while let [head, rest @ ..] = runs
        && n < limit
    {
        runs = rest;
        let head = usize::from(*head);
        if head < 128 {
            let literal = &runs[..(head + 1).min(runs.len())];
            literal.iter().take(limit - n).enumerate().for_each(|(i, byte)| put(n + i, *byte));
            n += literal.len().min(limit - n);
            runs = &runs[literal.len()..];
        } else if head > 128
            && let [byte, rest @ ..] = runs
        {
            runs = rest;
            let count = (257 - head).min(limit - n);
            (n..n + count).for_each(|n| put(n, *byte));
            n += count;
        }
    }
    n
}
