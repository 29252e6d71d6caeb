// The pixels of a convolution: the source pixel that a tap reads, and the pixel that its product is added to. See
// convolve.wgsl for GEOMETRY. Pixel numbers count images of h x w, or of 2 h x 2 w on the larger side of GEOMETRY 2
// and 3.

#if GEOMETRY == 0
const TAPS: u32 = 9;
#end
#if GEOMETRY == 1
const TAPS: u32 = 1;
#end
#if GEOMETRY == 2
const TAPS: u32 = 1;
#end
#if GEOMETRY == 3
const TAPS: u32 = 4;
#end
#if GEOMETRY == 4
const TAPS: u32 = 1;
#end

// (image, y, x) of pixel i. The image varies fastest.
fn place(i: u32, n: u32, w: u32) -> vec3u {
    let q = i / n;
    return vec3u(i % n, q / w, q % w);
}

// The pixel of a tap in the larger image of GEOMETRY 2 and 3.
fn larger(at: vec3u, tap: u32, h: u32, w: u32) -> u32 {
    return (at.x * 2 * h + 2 * at.y + tap / 2) * 2 * w + 2 * at.z + tap % 2;
}

fn smaller(at: vec3u, h: u32, w: u32) -> u32 {
    return (at.x * h + at.y) * w + at.z;
}

fn source(at: vec3u, tap: u32, h: u32, w: u32) -> u32 {
#if GEOMETRY == 0
    return smaller(at + vec3u(0, tap / 3, tap % 3) - vec3u(0, 1, 1), h, w);
#else
#if GEOMETRY == 3
    return larger(at, tap, h, w);
#else
#if GEOMETRY == 4
    return 16 * at.x + tap;
#else
    return smaller(at, h, w);
#end
#end
#end
}

fn valid(at: vec3u, tap: u32, h: u32, w: u32) -> bool {
#if GEOMETRY == 0
    // One less than 0 wraps round to a large number.
    return at.y + tap / 3 - 1 < h && at.z + tap % 3 - 1 < w;
#else
    return true;
#end
}

fn goal(at: vec3u, tap: u32, h: u32, w: u32) -> u32 {
#if GEOMETRY == 2
    return larger(at, tap, h, w);
#else
#if GEOMETRY == 4
    return 16 * at.x + tap;
#else
    return smaller(at, h, w);
#end
#end
}
