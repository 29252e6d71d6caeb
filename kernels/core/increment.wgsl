// Counts: counter += by. What is repeated knows by it which repetition it is in. One thread.
#use thread

@compute @workgroup_size(WORKGROUP)
fn increment(@builtin(global_invocation_id) id: vec3u) {
    if id.x == 0u {
        counter[0] += p.by;
    }
}
