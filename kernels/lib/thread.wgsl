// Threads of one workgroup of a linear kernel: `WORKGROUP` of src/plan/record.rs.
const WORKGROUP: u32 = 64;

// The number of this thread in a dispatch that is folded to two axes, because one axis holds 65 535 workgroups.
fn linear(id: vec3u, groups: vec3u) -> u32 {
    return id.x + id.y * groups.x * WORKGROUP;
}
