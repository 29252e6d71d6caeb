// The parts that convolve.wgsl and convolve_half.wgsl share: their loads, the place of a result, and FINISH 2.
#use geometry
#use stored
#if FINISH == 2
#use leaky
#end

#if GEOMETRY == 2
const ALONG_Z: u32 = 4;
#else
#if GEOMETRY == 4
const ALONG_Z: u32 = 16;
#else
const ALONG_Z: u32 = 1;
#end
#end

// The quad of dst at which the channels of output pixel `i` start, for tap `z` of GEOMETRY 2 and 4.
fn result(i: u32, z: u32) -> u32 {
    return p.dst.x + p.dst.y * goal(place(i, p.n, p.w), z, p.h, p.w);
}

#if FINISH == 2
// The values of FINISH 2 for one quad of output channels. A thread loads them once.
struct Finish {
    mean: vec4f,
    rstd: vec4f,
    gamma: vec4f,
    beta: vec4f,
}

fn finish_of(column: u32) -> Finish {
    let at = p.statistics.x + column;
    let gamma = quad_of(weights[p.scale_first + column]);
    let beta = quad_of(weights[p.shift_first + column]);
    return Finish(statistics[at], statistics[at + p.statistics.y], gamma, beta);
}

fn finished(sum: vec4f, how: Finish) -> vec4f {
    return leaky(how.gamma * ((sum - how.mean) * how.rstd) + how.beta, p.slope);
}
#end

// A quad of input channels of the pixel that `tap` reads; zeros if there is no such pixel or quad.
fn pixels_of(exists: bool, at: vec3u, tap: u32, quad: u32) -> vec4f {
    if exists && quad < p.ci4 && valid(at, tap, p.h, p.w) {
        return quad_of(src[p.src.x + p.src.y * source(at, tap, p.h, p.w) + quad]);
    }
    return vec4f(0.0);
}

// A quad of output channels of the weights of input channel `row`; zeros if there is none.
fn weights_of(tap: u32, row: u32, column: u32) -> vec4f {
    if row < 4 * p.ci4 && column < p.co4 {
        return quad_of(weights[p.weights_first + (4 * tap * p.ci4 + row) * p.co4 + column]);
    }
    return vec4f(0.0);
}
