//! # schedule/cache: plans are made once for each structure
//!
//! **In:** a graph's fingerprint. **Out:** the plan that was made for it, if it is still there.
//!
//! A training step builds the same graph again and again; scheduling it takes longer than running small kernels. So plans are kept, by a
//! fingerprint of 128 bits (two structures with the same one by accident: not in the life of the universe).
//!
//! Law: the cache is bounded in number and in bytes, as a plan holds tables that grow with the problem. A program whose shapes never
//! repeat loses the plans that it has not used for longest.

use super::Plan;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many plans at the most.
const PLANS: usize = 256;
/// So many bytes at the most, but for a plan that takes more alone.
const BYTES: usize = 32 << 20;

/// Plans with the time of their last use.
pub struct Cache {
    plans: BTreeMap<u128, (u64, Arc<Plan>)>,
    bytes: usize,
    now: u64,
}

impl Cache {
    /// Without plans.
    pub const fn new() -> Cache {
        Cache {
            plans: BTreeMap::new(),
            bytes: 0,
            now: 0,
        }
    }

    /// The plan of a structure.
    pub fn find(&mut self, fingerprint: u128) -> Option<Arc<Plan>> {
        self.now += 1;
        let (used, plan) = self.plans.get_mut(&fingerprint)?;
        *used = self.now;
        Some(plan.clone())
    }

    /// Keeps a plan, and lets go of those unused for longest until all fit.
    pub fn keep(&mut self, fingerprint: u128, plan: Arc<Plan>) {
        self.bytes += plan.bytes();
        if let Some((_, old)) = self.plans.insert(fingerprint, (self.now, plan)) {
            self.bytes -= old.bytes();
        }
        while self.plans.len() > 1 && (self.plans.len() > PLANS || self.bytes > BYTES) {
            let oldest = self
                .plans
                .iter()
                .filter(|(key, _)| **key != fingerprint)
                .min_by_key(|(_, (used, _))| *used);
            let Some((&key, _)) = oldest else { break };
            if let Some((_, plan)) = self.plans.remove(&key) {
                self.bytes -= plan.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Arc<Plan> {
        Arc::new(Plan { steps: Vec::new() })
    }

    #[test]
    fn the_plan_unused_for_longest_goes_first() {
        let mut cache = Cache::new();
        for fingerprint in 0..PLANS as u128 {
            assert!(cache.find(fingerprint).is_none());
            cache.keep(fingerprint, plan());
        }
        assert!(cache.find(0).is_some()); // used again: now plan 1 is the oldest
        cache.find(1000);
        cache.keep(1000, plan());
        assert!(cache.find(0).is_some() && cache.find(1000).is_some() && cache.find(1).is_none());
        assert_eq!(cache.plans.len(), PLANS);
    }
}
