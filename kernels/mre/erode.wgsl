// Erosion of the mask: dst = 1 if every pixel within `radius` steps (|dx| + |dy| <= radius) lies in the image and in
// the mask, else 0. A fit can be trusted there. One thread per pixel.
#use thread

@compute @workgroup_size(WORKGROUP)
fn erode(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear(id, groups);
    if i >= p.nx * p.ny {
        return;
    }
    let radius = i32(p.radius);
    let x = i32(i % p.nx);
    let y = i32(i / p.nx);
    var all = select(0.0, 1.0, mask[i] > 0.0);
    for (var dy = -radius; dy <= radius; dy++) {
        let reach = radius - abs(dy);
        let row = y + dy;
        if row < 0 || row >= i32(p.ny) || x < reach || x + reach >= i32(p.nx) {
            all = 0.0;
            break;
        }
        for (var column = x - reach; column <= x + reach; column++) {
            all = select(0.0, all, mask[u32(row) * p.nx + u32(column)] > 0.0);
        }
    }
    dst[i] = all;
}
