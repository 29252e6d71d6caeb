// Resamples an image on another grid about the same centre: the mean of src over the pixels inside, where src.z > 0,
// weighted by a tent. The tent is as wide as the coarser of the two grids. This is bilinear interpolation onto a
// finer grid, and an average onto a coarser grid.
//
// reach 0: a pixel of dst is inside if the nearest pixel of src is inside. reach above 0: it is inside if a tent of up
// to `reach` times the width holds a pixel that is inside. The sum of the weights must exceed FAINT, because a smaller
// one may be a rounding error. dst.z is 1 inside; outside, dst is 0. One thread per pixel of dst.
#use thread

const FAINT = 1e-3;

// The sum of weight * src over the pixels inside; z is the sum of the weights.
fn tent(at: vec2f, radius: vec2f) -> vec4f {
    let last = vec2i(vec2u(p.mx, p.my)) - 1;
    let low = max(vec2i(ceil(at - radius)), vec2i(0));
    let high = min(vec2i(floor(at + radius)), last);
    var sum = vec4f(0.0);
    for (var y = low.y; y <= high.y; y++) {
        let row = max(0.0, 1.0 - abs(f32(y) - at.y) / radius.y);
        for (var x = low.x; x <= high.x; x++) {
            let value = src[u32(y) * p.mx + u32(x)];
            let weight = row * max(0.0, 1.0 - abs(f32(x) - at.x) / radius.x);
            sum += select(vec4f(0.0), weight * vec4f(value.xy, 1.0, value.w), value.z > 0.0);
        }
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn resample(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.nx * p.ny {
        return;
    }
    let step = vec2f(p.step_x, p.step_y);
    let place = vec2f(vec2u(i % p.nx, i / p.nx)) - 0.5 * vec2f(vec2u(p.nx - 1, p.ny - 1));
    let at = place * step + 0.5 * vec2f(vec2u(p.mx - 1, p.my - 1));
    let radius = max(step, vec2f(1.0));
    let nearest = vec2i(floor(at + 0.5));
    let there = all(nearest >= vec2i(0)) && all(nearest < vec2i(vec2u(p.mx, p.my)));
    var sum = vec4f(0.0);
    if p.reach > 0 {
        for (var wider = 1u; wider <= p.reach && sum.z <= FAINT; wider++) {
            sum = tent(at, f32(wider) * radius);
        }
    } else if there && src[u32(nearest.y) * p.mx + u32(nearest.x)].z > 0.0 {
        sum = tent(at, radius);
    }
    dst[i] = select(vec4f(0.0), vec4f(sum.xy / sum.z, 1.0, sum.w / sum.z), sum.z > FAINT);
}
