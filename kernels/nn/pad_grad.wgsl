// The gradient of padding (pad.wgsl) with respect to its input: that of pixel y, x, and those of its mirror
// images 2 (h - 1) - y and 2 (w - 1) - x where grad has them. Channels-last quads; dst has h rows and w
// columns, grad grad_h and grad_w. A gather: one thread a quad of dst.
#use linear
#use place

// Row y of image n at column x and, if it is another one, at its mirror image.
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
