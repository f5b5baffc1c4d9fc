//! Cache with a maximum age and a maximum number of entries, for data keys, clients and secrets.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enrollment::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

/// Values by key. Concurrent first uses of a key load it once. A failed load is not cached.
pub(crate) struct AgedCache<K, V> {
    slots: Mutex<Slots<K, V>>,
    max_age: fn(&V, SignedDuration) -> SignedDuration,
    base_age: SignedDuration,
    max_count: usize,
    clock: Arc<dyn Clock>,
}

struct Slots<K, V> {
    by_key: HashMap<K, Slot<V>>,
    /// Counter of uses. The slot with the lowest number is the least recently used.
    uses: u64,
}

struct Slot<V> {
    last_use: u64,
    loaded: Arc<OnceCell<Loaded<V>>>,
}

struct Loaded<V> {
    value: V,
    at: Timestamp,
}

impl<K: Clone + Eq + Hash, V: Clone> AgedCache<K, V> {
    /// Cache whose entries live for `max_age`. Above `max_count` the least recently used entry is dropped.
    pub(crate) fn new(clock: Arc<dyn Clock>, max_age: SignedDuration, max_count: usize) -> Self {
        Self::with_age_by_value(clock, max_age, |_, base| base, max_count)
    }

    /// As [`Self::new`], with an age that depends on the value: a negative answer may live shorter.
    pub(crate) fn with_age_by_value(
        clock: Arc<dyn Clock>,
        base_age: SignedDuration,
        max_age: fn(&V, SignedDuration) -> SignedDuration,
        max_count: usize,
    ) -> Self {
        let slots = Mutex::new(Slots {
            by_key: HashMap::new(),
            uses: 0,
        });
        Self {
            slots,
            max_age,
            base_age,
            max_count,
            clock,
        }
    }

    /// Returns the value of `key`, or loads it by `load` where it is missing or too old.
    pub(crate) async fn get_or_load<E>(
        &self,
        key: &K,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let loaded = self.slot(key);
        let entry = loaded
            .get_or_try_init(|| async {
                // The age counts from the start of the load, since the value is at least that old.
                let at = self.clock.now();
                load.await.map(|value| Loaded { value, at })
            })
            .await?;
        Ok(entry.value.clone())
    }

    /// Returns the value of `key` if it is cached and not too old.
    pub(crate) fn current(&self, key: &K) -> Option<V> {
        let now = self.clock.now();
        let mut slots = self.lock();
        slots.uses += 1;
        let use_number = slots.uses;
        let slot = slots.by_key.get_mut(key)?;
        let entry = slot.loaded.get().filter(|entry| self.is_current(entry, now))?;
        let value = entry.value.clone();
        slot.last_use = use_number;
        Some(value)
    }

    /// Caches a value that was read together with others, in a read that began at `at`.
    pub(crate) fn put(&self, key: &K, value: V, at: Timestamp) {
        // If another load was faster, its value is as new and stays.
        let _ = self.slot(key).set(Loaded { value, at });
    }

    /// Drops all entries.
    pub(crate) fn clear(&self) {
        self.lock().by_key.clear();
    }

    fn slot(&self, key: &K) -> Arc<OnceCell<Loaded<V>>> {
        let now = self.clock.now();
        let mut slots = self.lock();
        slots.uses += 1;
        let use_number = slots.uses;
        if let Some(slot) = slots.by_key.get_mut(key)
            && slot.loaded.get().is_none_or(|entry| self.is_current(entry, now))
        {
            slot.last_use = use_number;
            return Arc::clone(&slot.loaded);
        }
        let loaded = Arc::new(OnceCell::new());
        slots.by_key.insert(
            key.clone(),
            Slot {
                last_use: use_number,
                loaded: Arc::clone(&loaded),
            },
        );
        // A load of any key drops the entries that are too old, then the least recently used ones.
        slots
            .by_key
            .retain(|_, slot| slot.loaded.get().is_none_or(|entry| self.is_current(entry, now)));
        while slots.by_key.len() > self.max_count {
            let Some(oldest) = slots
                .by_key
                .iter()
                .min_by_key(|(_, slot)| slot.last_use)
                .map(|(key, _)| key.clone())
            else {
                break;
            };
            slots.by_key.remove(&oldest);
        }
        loaded
    }

    fn is_current(&self, entry: &Loaded<V>, now: Timestamp) -> bool {
        let age = now.duration_since(entry.at);
        // If the clock was set back, an entry counts as old, not as fresh forever.
        !age.is_negative() && age < (self.max_age)(&entry.value, self.base_age)
    }

    fn lock(&self) -> MutexGuard<'_, Slots<K, V>> {
        // No code panics while it has the lock, so a poisoned one still guards complete slots.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::ManualClock;

    struct Fixture {
        clock: Arc<ManualClock>,
        cache: AgedCache<&'static str, usize>,
        loads: AtomicUsize,
    }

    impl Fixture {
        fn new(max_count: usize) -> Self {
            let clock = Arc::new(ManualClock::default());
            let cache = AgedCache::new(Arc::clone(&clock) as _, SignedDuration::from_secs(60), max_count);
            Self {
                clock,
                cache,
                loads: AtomicUsize::new(0),
            }
        }

        async fn get(&self, key: &'static str) -> usize {
            let load = async {
                tokio::task::yield_now().await;
                Ok::<_, ()>(self.loads.fetch_add(1, Ordering::SeqCst))
            };
            self.cache.get_or_load(&key, load).await.unwrap()
        }
    }

    #[tokio::test]
    async fn value_is_loaded_once_until_too_old() {
        let fixture = Fixture::new(8);
        assert_eq!(fixture.get("a").await, 0);
        fixture.clock.advance(SignedDuration::from_secs(59));
        assert_eq!(fixture.get("a").await, 0);
        fixture.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(fixture.get("a").await, 1);
        fixture.clock.advance(SignedDuration::from_secs(-5));
        assert_eq!(
            fixture.get("a").await,
            2,
            "a clock set back does not make entries eternal"
        );
    }

    #[tokio::test]
    async fn value_read_elsewhere_ages_from_its_read() {
        let fixture = Fixture::new(8);
        assert_eq!(fixture.cache.current(&"a"), None);
        let read_at = fixture.clock.now();
        fixture.clock.advance(SignedDuration::from_secs(10));
        fixture.cache.put(&"a", 7, read_at);
        assert_eq!(fixture.cache.current(&"a"), Some(7));
        fixture.clock.advance(SignedDuration::from_secs(49));
        assert_eq!(fixture.get("a").await, 7, "nothing is loaded");
        fixture.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(fixture.cache.current(&"a"), None);
        assert_eq!(fixture.get("a").await, 0, "it is loaded");
    }

    #[tokio::test]
    async fn concurrent_first_uses_load_once() {
        let fixture = Fixture::new(8);
        let (a, b, c) = tokio::join!(fixture.get("a"), fixture.get("a"), fixture.get("a"));
        assert_eq!((a, b, c), (0, 0, 0));
        assert_eq!(fixture.loads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn least_recently_used_entry_is_dropped() {
        let fixture = Fixture::new(2);
        assert_eq!((fixture.get("a").await, fixture.get("b").await), (0, 1));
        assert_eq!(fixture.get("a").await, 0);
        assert_eq!(fixture.get("c").await, 2);
        assert_eq!(fixture.get("a").await, 0);
        assert_eq!(fixture.get("b").await, 3);
    }

    #[tokio::test]
    async fn failed_load_is_not_cached() {
        let fixture = Fixture::new(2);
        assert_eq!(
            fixture
                .cache
                .get_or_load(&"a", async { Err::<usize, _>("down") })
                .await,
            Err("down")
        );
        assert_eq!(fixture.get("a").await, 0);
        fixture.cache.clear();
        assert_eq!(fixture.get("a").await, 1);
    }
}
