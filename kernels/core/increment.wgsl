// Increments a counter: counter += by. A plan counts its repetitions with it. One thread.
#use thread

@compute @workgroup_size(WORKGROUP)
fn increment(@builtin(global_invocation_id) id: vec3u) {
    if id.x == 0u {
        counter[0] += p.by;
    }
}
