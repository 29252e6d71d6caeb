// The gradient of upsampling (upsample.wgsl) in its input. MODE 0, nearest: the sum of the 2 x 2 pixels that are
// copies of pixel y, x. MODE 1, bilinear: along each axis pixel y has the weights 1/4, 3/4, 3/4, 1/4 in rows 2 y - 1
// to 2 y + 2 of grad. A row beyond an edge is replaced by the edge, where the two weights then add up to 1.
// Channels-last quads; dst has h rows and w columns, grad has twice as many. One thread per quad of dst, which
// gathers.
#use linear
#use place

// The four places around pixel i on an axis of 2 n places.
fn around(i: u32, n: u32) -> vec4u {
    return vec4u(max(2 * i, 1) - 1, 2 * i, 2 * i + 1, min(2 * i + 2, 2 * n - 1));
}

// The contribution of row y of image n to the pixel whose columns are x.
fn across(n: u32, y: u32, x: vec4u, quad: u32) -> vec4f {
    let i = p.grad.x + ((2 * p.h * n + y) * 2 * p.w + x) * p.grad.y + quad;
#if MODE == 0
    return grad[i.y] + grad[i.z];
#else
    return 0.75 * (grad[i.y] + grad[i.z]) + 0.25 * (grad[i.x] + grad[i.w]);
#end
}

fn thread(t: u32) {
    let at = place(t, p.h, p.w, p.quads);
    let x = around(at.x, p.w);
    let y = around(at.y, p.h);
    var value = across(at.n, y.y, x, at.quad) + across(at.n, y.z, x, at.quad);
#if MODE == 1
    let outer = across(at.n, y.x, x, at.quad) + across(at.n, y.w, x, at.quad);
    value = 0.75 * value + 0.25 * outer;
#end
    dst[p.dst.x + at.pixel * p.dst.y + at.quad] = value;
}
