// What overlapping predictions come to: dst = (scale mean, uncertainty, 1, scale spread) of state = (mean, squares,
// weights, count), 0 where there was none. The spread is the standard deviation of the predictions; the uncertainty is
// scale sqrt(floor^2 + (slope spread)^2). One thread a pixel.
#use linear

fn thread(i: u32) {
    let all = state[i];
    var value = vec4f(0.0);
    if all.w > 0.0 {
        let spread = sqrt(max(all.y, 0.0) / all.z);
        let uncertainty = length(vec2f(p.floor, p.slope * spread));
        value = vec4f(p.scale * all.x, p.scale * uncertainty, 1.0, p.scale * spread);
    }
    dst[i] = value;
}
