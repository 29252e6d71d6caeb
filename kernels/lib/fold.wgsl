// Sums over a workgroup by halves, in a fixed order: every thread gets the sum of the values of all threads
// whose lanes are equal modulo `width`, a power of two; width 1 sums the whole workgroup. To be called by
// every thread of it.
#use thread
var<workgroup> folded: array<vec4f, WORKGROUP>;

fn fold(lane: u32, width: u32, value: vec4f) -> vec4f {
    folded[lane] = value;
    for (var half = WORKGROUP / 2; half >= width; half /= 2) {
        workgroupBarrier();
        if lane < half {
            folded[lane] += folded[lane + half];
        }
    }
    workgroupBarrier();
    let sum = folded[lane % width];
    workgroupBarrier();
    return sum;
}
