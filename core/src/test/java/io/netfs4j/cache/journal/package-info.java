// SPDX-License-Identifier: Apache-2.0
/**
 * Tests of the journal: over a disk that forgets what was not forced ({@link
 * io.netfs4j.cache.journal.JournalWorld}), and over this machine's, in a process that is killed
 * ({@link io.netfs4j.cache.journal.JournalCrashMain}).
 */
@NullMarked
package io.netfs4j.cache.journal;

import org.jspecify.annotations.NullMarked;
