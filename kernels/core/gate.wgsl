// Opens or closes the dispatches of a repetition: while counter[0] is below limit[0], `arguments` are the workgroups of
// each dispatch (x, y, z), else 0. One thread per number.
#use linear

fn thread(t: u32) {
    arguments[t] = select(0u, groups[t], i32(counter[0]) < limit[0]);
}
