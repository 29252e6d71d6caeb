// Means over p.scale x p.scale pixels, for the views of a patch's surroundings. src is (re, im, inside, -) of an image of
// nx columns. dst has p.scale - 1 more columns and rows. Its pixel (x, y) is the mean over the square that ends with
// column x and row y of the image, of the pixels inside. It is (re, im, 1, 0), or 0 if fewer than p.least pixels are
// inside. One thread per pixel of dst.
#use linear

fn thread(i: u32) {
    let wide = p.nx + p.scale - 1u;
    let at = vec2u(i % wide, i / wide);
    // The image's columns and rows from `low` on, before `high`.
    let low = max(at, vec2u(p.scale - 1u)) - (p.scale - 1u);
    let high = min(at + 1u, vec2u(p.nx, p.ny));
    var sum = vec3f(0.0);
    for (var y = low.y; y < high.y; y++) {
        for (var x = low.x; x < high.x; x++) {
            let value = src[y * p.nx + x];
            sum += select(vec3f(0.0), vec3f(value.xy, 1.0), value.z > 0.0);
        }
    }
    let mean = vec4f(sum.xy / max(sum.z, 1.0), 1.0, 0.0);
    dst[i] = select(vec4f(0.0), mean, sum.z >= p.least);
}
