// To PyTorch's layout: dst[n][k][y][x] = src[n][y][x][k] for k < c; src is channels-last quads, dst f32
// without padding. One thread a quad of src.
#use thread

struct Params {
    count: u32,
    quads: u32,
    c: u32,
    plane: u32,     // pixels of one image
    src_first: u32,
    src_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dst: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn unpack(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let first = (pixel / p.plane * p.c + 4 * quad) * p.plane + pixel % p.plane;
    let value = src[p.src_first + pixel * p.src_pitch + quad];
#unroll i 0 4
    if 4 * quad + $i < p.c {
        dst[first + $i * p.plane] = value[$i];
    }
#end
}
