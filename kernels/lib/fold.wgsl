// Sums over a workgroup by repeated halving, in a fixed order. Every thread gets the sum of the values of all threads
// whose lanes are equal modulo `width`, a power of two. Width 1 sums the whole workgroup. Every thread of the workgroup
// must call it.
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
