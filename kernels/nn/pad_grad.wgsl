// The gradient of padding (pad.wgsl) in its input. A pixel y, x receives the gradients of itself and of its mirror
// images 2 (h - 1) - y and 2 (w - 1) - x, if grad has them. Channels-last quads; dst has h rows and w columns, grad has
// grad_h and grad_w. One thread per quad of dst, which gathers.
#use linear
#use place

// The gradient in row y of image n at column x, plus the one at its mirror column if that is another column of grad.
fn across(n: u32, y: u32, x: u32, quad: u32) -> vec4f {
    let row = p.grad.x + (n * p.grad_h + y) * p.grad_w * p.grad.y + quad;
    var value = grad[row + x * p.grad.y];
    let mirrored = 2 * (p.w - 1) - x;
    if mirrored > x && mirrored < p.grad_w {
        value += grad[row + mirrored * p.grad.y];
    }
    return value;
}

fn thread(t: u32) {
    let at = place(t, p.h, p.w, p.quads);
    var value = across(at.n, at.y, at.x, at.quad);
    let mirrored = 2 * (p.h - 1) - at.y;
    if mirrored > at.y && mirrored < p.grad_h {
        value += across(at.n, mirrored, at.x, at.quad);
    }
    dst[p.dst.x + at.pixel * p.dst.y + at.quad] = value;
}
