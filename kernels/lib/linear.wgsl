// The entry point of a kernel with one thread per element. It calls the kernel's own `thread(t)` for t < p.count.
#use thread

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let t = linear(id, groups);
    if t < p.count {
        thread(t);
    }
}
