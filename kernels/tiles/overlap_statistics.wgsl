// Statistics of overlapping predictions: dst = (scale mean, uncertainty, 1, disagreement) from state = (mean, squares,
// weights, count), or 0 if there was no prediction. The spread is the standard deviation of the predictions.
//
// With BOTH, state is of predictions with surroundings, and alone of those without, in the same places. Their difference
// is alone - state; let r be this difference over their mean. The share of those without is r^2 / (r^2 + mixing^2), and
// the squares are mixed alike. The disagreement is scale times the difference. Without BOTH it is 0.
//
// The uncertainty is scale sqrt(floor^2 + (slope spread)^2 + (doubt difference)^2). One thread per pixel.
#use linear

fn thread(i: u32) {
    let all = state[i];
    var value = vec4f(0.0);
    if all.w > 0.0 {
        var mean = all.x;
        var square = max(all.y, 0.0) / all.z;
        var apart = 0.0;
#if BOTH
        let other = alone[i];
        apart = other.x - all.x;
        let ratio = 2.0 * apart / max(abs(other.x + all.x), 1e-6);
        let share = ratio * ratio / (ratio * ratio + p.mixing * p.mixing);
        mean += share * apart;
        square = mix(square, max(other.y, 0.0) / other.z, share);
#end
        let own = vec3f(p.floor, p.slope * sqrt(square), p.doubt * apart);
        value = vec4f(p.scale * mean, p.scale * length(own), 1.0, p.scale * apart);
    }
    dst[i] = value;
}
