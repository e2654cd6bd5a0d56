// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

/** Numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02) and names of OpenSSH's extensions. */
final class Protocol {
    static final int VERSION_NUMBER = 3;

    static final int INIT = 1;
    static final int VERSION = 2;
    static final int OPEN = 3;
    static final int CLOSE = 4;
    static final int READ = 5;
    static final int WRITE = 6;
    static final int LSTAT = 7;
    static final int FSTAT = 8;
    static final int SETSTAT = 9;
    static final int FSETSTAT = 10;
    static final int OPENDIR = 11;
    static final int READDIR = 12;
    static final int REMOVE = 13;
    static final int MKDIR = 14;
    static final int RMDIR = 15;
    static final int REALPATH = 16;
    static final int STAT = 17;
    static final int RENAME = 18;
    static final int READLINK = 19;
    static final int SYMLINK = 20;
    static final int STATUS = 101;
    static final int HANDLE = 102;
    static final int DATA = 103;
    static final int NAME = 104;
    static final int ATTRS = 105;
    static final int EXTENDED = 200;
    static final int EXTENDED_REPLY = 201;

    static final int OK = 0;
    static final int EOF = 1;
    static final int NO_SUCH_FILE = 2;
    static final int PERMISSION_DENIED = 3;
    static final int FAILURE = 4;
    static final int BAD_MESSAGE = 5;
    static final int NO_CONNECTION = 6;
    static final int CONNECTION_LOST = 7;
    static final int OP_UNSUPPORTED = 8;

    static final int FLAG_READ = 0x01;
    static final int FLAG_WRITE = 0x02;
    static final int FLAG_CREATE = 0x08;
    static final int FLAG_EXCLUSIVE = 0x20;

    static final int ATTR_SIZE = 0x01;
    static final int ATTR_OWNERS = 0x02;
    static final int ATTR_PERMISSIONS = 0x04;
    static final int ATTR_TIMES = 0x08;
    static final int ATTR_EXTENDED = 0x80000000;

    static final String POSIX_RENAME = "posix-rename@openssh.com";
    static final String STATVFS = "statvfs@openssh.com";
    static final String FSTATVFS = "fstatvfs@openssh.com";
    static final String HARDLINK = "hardlink@openssh.com";
    static final String FSYNC = "fsync@openssh.com";
    static final String LSETSTAT = "lsetstat@openssh.com";
    static final String LIMITS = "limits@openssh.com";
    static final String COPY_DATA = "copy-data";

    /** Length, type and id: what every packet begins with. */
    static final int HEAD_BYTES = 9;

    /** OpenSSH's SFTP_MAX_MSG_LENGTH; a longer packet ends the connection. */
    static final int PACKET_BYTES_MAX = 256 * 1024;

    /** What every server takes: section 3 of the draft asks for packets of 34000 bytes. */
    static final int DATA_BYTES_UNTOLD = 32 * 1024;

    /** Room for a handle and numbers beside the data of a packet: as OpenSSH reckons. */
    static final int DATA_BYTES_MAX = PACKET_BYTES_MAX - 1024;

    /** Section 3: "the handle is at most 256 bytes long". */
    static final int HANDLE_BYTES_MAX = 256;

    static final int NAME_BYTES_MAX = 255;
    static final int PATH_BYTES_MAX = 4096;

    private Protocol() {}
}
