// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

/** An open regular file: what a file descriptor stands for. Made and used by one {@link Vfs}. */
public interface OpenFile {
    long ino();

    OpenFlags flags();

    /** Whether what the kernel has cached of the file since the last open still counts. */
    boolean keepsKernelCache();
}
