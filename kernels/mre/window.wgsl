// Box means along one axis of planes of four values, with zeros beyond the image:
//
//   dst[k] = 1 / (2 radius + 1) sum over |d| <= radius of src[k + d],   radius >= 2
//
// AXIS 0 is along a row, AXIS 1 along a column. One pass of each gives the square box.
// src, dst [plane][ny][nx], from plane `first`. One thread per BLOCK neighbours along the axis: it sums the pixels that
// all of their boxes hold only once. It subtracts nothing, so nothing cancels.
#use thread

const BLOCK: u32 = 4;

// src at place k of the line that begins at `line`; zero beyond the line.
fn load(line: u32, stride: u32, length: u32, k: i32) -> vec4f {
    if k < 0 || k >= i32(length) {
        return vec4f(0.0);
    }
    return src[line + u32(k) * stride];
}

@compute @workgroup_size(WORKGROUP)
fn window(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
#if AXIS == 0
    let length = p.nx;
    let stride = 1u;
    let blocks = (length + BLOCK - 1) / BLOCK;
    let block = t % blocks;
    let line = p.first * p.nx * p.ny + (t / blocks) * p.nx;
    let lines = p.ny * p.planes;
#else
    let length = p.ny;
    let stride = p.nx;
    let blocks = (length + BLOCK - 1) / BLOCK;
    let block = (t / p.nx) % blocks;
    let line = (p.first + t / (p.nx * blocks)) * p.nx * p.ny + t % p.nx;
    let lines = p.nx * p.planes;
#end
    if t >= blocks * lines {
        return;
    }
    let at = i32(block * BLOCK);
    let radius = i32(p.radius);
    var core = vec4f(0.0);
    for (var k = at + i32(BLOCK) - 1 - radius; k <= at + radius; k++) {
        core += load(line, stride, length, k);
    }
    let a = load(line, stride, length, at - radius);
    let b = load(line, stride, length, at + 1 - radius);
    let c = load(line, stride, length, at + 2 - radius);
    let d = load(line, stride, length, at + 1 + radius);
    let e = load(line, stride, length, at + 2 + radius);
    let f = load(line, stride, length, at + 3 + radius);
    let sums = array<vec4f, BLOCK>(a + b + c + core, b + c + core + d, c + core + d + e, core + d + e + f);
#unroll o 0 4
    if at + $o < i32(length) {
        dst[line + u32(at + $o) * stride] = sums[$o] / f32(2 * p.radius + 1);
    }
#end
}
