// Cuts the batch's patches out of an image and normalises each by itself: patch number counter[0] and those after it.
//
// src is (re, im, inside, -). patches has (x, y, weight, view) of each patch: its first column and row, which may lie
// outside of the image, and the number of its view. lattice[0] is the number of patches. Images of the batch beyond the
// last patch are 0. With PATCH, each channel has mean 0 and standard deviation 1 over the pixels inside. A deviation of
// at most `faintest` times the mean is a rounding error; the channel is then 0. dst: channels-last, both channels in
// one quad. With SECOND, they are its last two, and the first two stay. One workgroup per patch.
//
// A view of the surroundings takes every p.step-th pixel of a coarsened src (coarsen.wgsl), from p.shift pixels beyond
// the patch's first column and row. For the patch itself the step is 1 and the shift 0.
#use thread
#use fold
#use view

// (re, im, inside) of pixel i in the view of the patch that begins at `origin`.
fn pixel(i: u32, origin: vec2i, view: u32) -> vec3f {
    let at = origin + p.shift + p.step * vec2i(shown(view, vec2u(i % p.side, i / p.side), p.side));
    if any(at < vec2i(0)) || any(at >= vec2i(vec2u(p.nx, p.ny))) {
        return vec3f(0.0);
    }
    let value = src[u32(at.y) * p.nx + u32(at.x)];
    return vec3f(later(view, value.xy), value.z);
}

@compute @workgroup_size(WORKGROUP)
fn cut(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
    let pixels = p.side * p.side;
    let number = counter[0] + group.x;
    let there = number < u32(lattice[0]);
    var origin = vec2i(0);
    var view = 0u;
    if there {
        origin = vec2i(patches[number].xy);
        view = u32(patches[number].w);
    }
    var mean = vec2f(0.0);
    var scale = vec2f(1.0);
#if PATCH
    var sum = vec3f(0.0);
    for (var i = lane; i < pixels; i += WORKGROUP) {
        let value = pixel(i, origin, view);
        sum += select(vec3f(0.0), vec3f(value.xy, 1.0), value.z > 0.0);
    }
    sum = fold(lane, 1u, vec4f(sum, 0.0)).xyz;
    let count = max(sum.z, 1.0);
    mean = sum.xy / count;
    var squares = vec2f(0.0);
    for (var i = lane; i < pixels; i += WORKGROUP) {
        let value = pixel(i, origin, view);
        let off = value.xy - mean;
        squares += select(vec2f(0.0), off * off, value.z > 0.0);
    }
    squares = fold(lane, 1u, vec4f(squares, 0.0, 0.0)).xy;
    let deviation = sqrt(squares / count);
    let faint = deviation <= p.faintest * abs(mean);
    scale = select(1.0 / deviation, vec2f(0.0), faint);
#end
    for (var i = lane; i < pixels; i += WORKGROUP) {
        let value = pixel(i, origin, view);
        let normal = select(vec2f(0.0), (value.xy - mean) * scale, there && value.z > 0.0);
        let to = p.dst.x + (group.x * pixels + i) * p.dst.y;
#if SECOND
        dst[to] = vec4f(dst[to].xy, normal);
#else
        dst[to] = vec4f(normal, 0.0, 0.0);
#end
    }
}
