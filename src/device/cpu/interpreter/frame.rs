//! # device/cpu/interpreter/frame: the memory of a program's registers
//!
//! **In:** where each register's block begins. **Out:** for one task, the blocks, and where each register is right now: in its own block,
//! in an input's memory (a contiguous load copies nothing), or where an output wants it.

use crate::device::cpu::panel::Panel;
use crate::device::cpu::strip::Step;
use crate::kernel::Reg;
use std::cell::RefCell;

/// The registers of one thread, for one task.
pub struct Frame {
    /// for each register that reads columns as rows, those it has read
    pub(super) panels: Vec<Panel>,
    /// room for a strip's steps
    pub(super) steps: Vec<Step>,
    /// registers that are one strip, which is read again and again
    pub(super) repeated: Vec<bool>,
    /// of registers that are rows of memory, the bytes from row to row, if these do not lie side by side
    pub(super) rows: Vec<Option<isize>>,
    /// registers that go to memory past the caches
    pub(super) past_caches: Vec<bool>,
    _memory: Room,
    /// where the lanes of each sum are that strips add to
    pub(super) lanes: Vec<*mut u8>,
    /// where each register's block is now: in `memory`, or directly in an input
    pub registers: Vec<*mut u8>,
    pub(super) own: Vec<*mut u8>,
}

impl Frame {
    pub(super) fn new(
        memory: Room,
        own: Vec<*mut u8>,
        lanes: Vec<*mut u8>,
        repeated: Vec<bool>,
    ) -> Frame {
        Frame {
            panels: own.iter().map(|_| Panel::default()).collect(),
            steps: Vec::new(),
            repeated,
            rows: vec![None; own.len()],
            past_caches: vec![false; own.len()],
            _memory: memory,
            lanes,
            registers: own.clone(),
            own,
        }
    }

    /// Lets a register be one strip for each row, read again and again; or a sum's lanes be so.
    pub fn place_rows(&mut self, reg: Reg, at: *mut u8, row: isize) {
        (self.lanes[reg], self.registers[reg]) = (at, at);
        (self.repeated[reg], self.rows[reg]) = (true, Some(row));
    }

    /// Lets a register be rows of memory.
    pub fn show_rows(&mut self, reg: Reg, at: *mut u8, row: isize) {
        self.registers[reg] = at;
        (self.repeated[reg], self.rows[reg]) = (false, Some(row));
    }

    /// Lets a register be its own block again.
    pub fn reset(&mut self, reg: Reg) {
        self.registers[reg] = self.own[reg];
    }
}

/// A frame's memory: cache lines that a thread keeps for its next frame. An epilogue gets a frame for every few rows of a product, and to
/// fill one with zeros takes longer than that many rows.
pub(in crate::device::cpu) struct Room(Vec<[u64; 8]>);

thread_local! {
    static IDLE: RefCell<Vec<Vec<[u64; 8]>>> = const { RefCell::new(Vec::new()) };
}

impl Room {
    /// Its first whole cache line. (The vector is aligned to 8 bytes only.)
    pub fn start(&mut self) -> *mut u8 {
        let start = self.0.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.align_offset(64))
    }

    /// At least so many lines, the first of which may be cut. What is in them is left over from earlier.
    pub fn new(lines: usize) -> Room {
        let mut memory = IDLE.with_borrow_mut(Vec::pop).unwrap_or_default();
        if memory.len() < lines {
            memory = vec![[0; 8]; lines];
        }
        Room(memory)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.0);
        // A thread that is ending has no place for it any more.
        let _ = IDLE.try_with(|idle| idle.borrow_mut().push(memory));
    }
}
