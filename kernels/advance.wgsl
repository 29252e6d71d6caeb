// Counts: counter += by. What is repeated knows by it which repetition it is in. One thread.
#use thread

struct Params {
    by: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn advance(@builtin(global_invocation_id) id: vec3u) {
    if id.x == 0u {
        counter[0] += p.by;
    }
}
