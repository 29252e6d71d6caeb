// Statistics of overlapping predictions: dst = (scale mean, uncertainty, 1, scale spread) from state = (mean, squares,
// weights, count), or 0 if there was no prediction. The spread is the standard deviation of the predictions. The
// uncertainty is scale sqrt(floor^2 + (slope spread)^2). One thread per pixel.
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
