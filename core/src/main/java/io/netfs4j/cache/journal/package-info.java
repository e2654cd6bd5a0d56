// SPDX-License-Identifier: Apache-2.0
/**
 * The journal: what was acknowledged and is not on the server yet, on this machine's disk. {@link
 * io.netfs4j.cache.journal.Journal} is all that others see.
 *
 * <pre>
 *   append (never waits)        JournalTail: stages records into batches, the first waiter writes
 *        |                      Journal: index of what counts, forcing, giving space back
 *        v
 *   [ segment ][ segment ][ segment ]    SegmentFiles, LogSegment; JournalFormat says what is where
 *        ^
 *   opened again                JournalScan: up to where it is whole; what is missing is told
 * </pre>
 *
 * <p>Threads: appending takes the journal's lock, a leaf, and never waits for the disk; whoever
 * waits for a record to be written or forced does that.
 */
@NullMarked
package io.netfs4j.cache.journal;

import org.jspecify.annotations.NullMarked;
