// From PyTorch's layout: dst[n][y][x][k] = src[n][k][y][x] for k < c, else 0; src is f32 without padding, dst
// channels-last quads. One thread a quad of dst.
#use thread

struct Params {
    count: u32,
    quads: u32,
    c: u32,
    plane: u32,     // pixels of one image
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<f32>;
@group(0) @binding(2) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn pack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let first = (pixel / p.plane * p.c + 4 * quad) * p.plane + pixel % p.plane;
    var value = vec4f(0.0);
#unroll i 0 4
    if 4 * quad + $i < p.c {
        value[$i] = src[first + $i * p.plane];
    }
#end
    dst[p.dst_first + pixel * p.dst_pitch + quad] = value;
}
