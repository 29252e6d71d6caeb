// dst = a + b. Channels-last quads; one thread a quad.
#use thread

struct Params {
    count: u32,
    quads: u32,
    a_first: u32,
    a_pitch: u32,
    b_first: u32,
    b_pitch: u32,
    dst_first: u32,
    dst_pitch: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn add(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t >= p.count {
        return;
    }
    let pixel = t / p.quads;
    let quad = t % p.quads;
    let sum = a[p.a_first + pixel * p.a_pitch + quad] + b[p.b_first + pixel * p.b_pitch + quad];
    dst[p.dst_first + pixel * p.dst_pitch + quad] = sum;
}
