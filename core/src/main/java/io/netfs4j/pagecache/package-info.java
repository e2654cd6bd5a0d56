// SPDX-License-Identifier: Apache-2.0
/**
 * The bytes we hold: {@link io.netfs4j.pagecache.Folio}s of 4 KiB to 2 MiB off the Java heap, in an
 * {@link io.netfs4j.pagecache.AddressSpace} per file, from one budget in {@link
 * io.netfs4j.pagecache.PageCache}. Imports base and trace. Never calls the engine: the flusher
 * comes and takes.
 *
 * <p>Threads: an address space, its folios and their blocks are guarded by the lock of the inode
 * they belong to ("inode lock"). The locks of the page cache, of a turnstile and of the memory pool
 * are leaves, taken in that order; another inode's lock is only ever tried.
 */
@NullMarked
package io.netfs4j.pagecache;

import org.jspecify.annotations.NullMarked;
