use super::manifest::Manifest;
use std::ops::Range;

impl Manifest {
    /// The runs that should be merged into one, if any: `fan_in` or more in a row, none of which is larger than those newer
    /// than it together. So each entry is written about once for each doubling of the database.
    pub(in crate::engine) fn choose_merge(&self, fan_in: usize) -> Option<Range<usize>> {
        let sizes: Vec<u64> =
            self.runs.iter().map(|run| run.iter().map(|segment| segment.stored_bytes).sum()).collect();
        (0..sizes.len()).find_map(|start| {
            let mut total = 0;
            let similar = sizes.iter().skip(start).take_while(|size| {
                let is_similar = total == 0 || **size <= total;
                total += **size;
                is_similar
            });
            let inputs = start..start + similar.count();
            (inputs.len() >= fan_in).then_some(inputs)
        })
    }
}
