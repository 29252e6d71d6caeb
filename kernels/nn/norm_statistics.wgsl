// Statistics of a norm, second pass. It merges the means and M2 of the chunks in a fixed order, after Chan, Golub and
// LeVeque (1983), extended to many parts:
//
//   mean = sum m_k mean_k / sum m_k, M2 = sum (M2_k + m_k (mean_k - mean)^2), variance = M2 / sum m_k.
//
// src: the result of norm_moments.wgsl. dst: group g has its mean in pixel 2 g and 1 / sqrt(variance + epsilon) in the
// next pixel, 0 in padding channels. RUNNING (one group): the running mean and variance, pixels 0 and 1, become
// (1 - momentum) running + momentum (mean, M2 / (m - 1)). A workgroup computes `width` quads of groups. Its
// WORKGROUP / width threads per quad share the chunks.
#use thread
#use fold
#use quad

@compute @workgroup_size(WORKGROUP)
fn norm_statistics(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
                   @builtin(local_invocation_index) lane: u32) {
    let t = (group.x + group.y * groups.x) * p.width + lane % p.width;
    // Threads beyond the last quad repeat the last one, because all threads of a workgroup must reach the barriers.
    let i = min(t, p.n - 1);
    let q = i % p.quads;
    let g = i / p.quads;
    let start = p.src.x + 2 * g * p.chunks * p.src.y + q;
    let slice = lane / p.width;
    let slices = WORKGROUP / p.width;
    let m = f32(p.run);

    let shift = src[start];
    var sum = vec4f(0.0);
    for (var k = slice; k < p.chunks; k += slices) {
        let count = f32(min(p.chunk, p.run - k * p.chunk));
        sum += count * (src[start + 2 * k * p.src.y] - shift);
    }
    let mean = shift + fold(lane, p.width, sum) / m;
    var squares = vec4f(0.0);
    for (var k = slice; k < p.chunks; k += slices) {
        let count = f32(min(p.chunk, p.run - k * p.chunk));
        let off = src[start + 2 * k * p.src.y] - mean;
        squares += src[start + (2 * k + 1) * p.src.y] + count * off * off;
    }
    squares = fold(lane, p.width, squares);

    if slice > 0 || t >= p.n {
        return;
    }
    let to = p.dst.x + 2 * g * p.dst.y + q;
    dst[to] = mean;
    dst[to + p.dst.y] = select(vec4f(0.0), inverseSqrt(squares / m + p.epsilon), inside(q, p.c));
#if RUNNING
    let at = p.running.x + q;
    running[at] = mix(running[at], mean, p.momentum);
    let variance = squares / max(m - 1.0, 1.0);
    running[at + p.running.y] = mix(running[at + p.running.y], variance, p.momentum);
#end
}
