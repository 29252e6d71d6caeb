// The first temporal harmonic: u = sum over frames t of (x_t - reference x_0) w_t.
//
//   phases over one period   w_t = 2/T exp(-2 pi i t/T), reference 1: x_t = Re u exp(+i omega t). The
//                            weights sum to 0, so the temporal mean drops out; x_0 is taken off for f32's
//                            sake.
//   real, imaginary          w = 1, i, reference 0
//
// frames [T][n], one thread a pixel.
#use thread

struct Params {
    n: u32,
    frames: u32,
    reference: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> frames: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> harmonic_: array<vec2f>;

@compute @workgroup_size(WORKGROUP)
fn harmonic(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.n {
        return;
    }
    let first = p.reference * frames[i];
    var u = vec2f(0.0);
    for (var t = 0u; t < p.frames; t++) {
        u += (frames[t * p.n + i] - first) * weights[t];
    }
    harmonic_[i] = u;
}
