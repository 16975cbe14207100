namespace Exchange.Crypto;

public sealed partial record Refusal
{
    // Service: the gateway and the way to it.
    public static readonly Refusal NotSignedIn = new("E_NOT_SIGNED_IN",
        "The certificate of this connection may not ask this: it is that of no office in the directory, or of no auditor.", "Chứng thư của kết nối không được phép hỏi điều này: không thuộc cơ quan nào trong danh bạ, hoặc không thuộc kiểm toán viên nào.",
        "Connect with the office's TLS certificate; for the audit with the auditor's.", "Kết nối bằng chứng thư TLS của cơ quan; khi kiểm toán, bằng chứng thư của kiểm toán viên.");
    public static readonly Refusal NotFound = new("E_NOT_FOUND",
        "There is nothing here for you under this name.", "Không có gì ở đây dành cho bạn với tên này.",
        "Check the identifier.", "Kiểm tra lại mã định danh.");
    public static readonly Refusal SenderNotYou = new("E_SENDER_NOT_YOU",
        "The envelope's sender is not the office of this connection.", "Nơi gửi của bao bì không phải cơ quan của kết nối này.",
        "Send each office's envelopes with its own certificate.", "Gửi bao bì của mỗi cơ quan bằng chứng thư của chính cơ quan đó.");
    public static readonly Refusal OtherGateway = new("E_OTHER_GATEWAY",
        "The envelope was sealed for another gateway.", "Bao bì được niêm phong cho một trục khác.",
        "Send it to the gateway it names, or seal it anew.", "Gửi tới đúng trục đã nêu, hoặc niêm phong lại.");
    public static readonly Refusal SameId = new("E_SAME_ID",
        "Another envelope with this identifier was already submitted.", "Đã có một bao bì khác với cùng mã định danh được gửi.",
        "Seal the dispatch anew; it gets a new identifier.", "Niêm phong lại văn bản; văn bản sẽ có mã mới.");
    public static readonly Refusal TooLarge = new("E_TOO_LARGE",
        "The request is larger than this gateway takes in one piece.", "Yêu cầu lớn hơn mức trục nhận trong một lần.",
        "Send the payload by itself: PUT /dispatches/{id}/payload; if it is too large even so, in several dispatches.", "Gửi riêng phần nội dung: PUT /dispatches/{id}/payload; nếu vẫn quá lớn, chia thành nhiều văn bản.");
    public static readonly Refusal Request = new("E_REQUEST",
        "The request is not one that this interface knows.", "Yêu cầu không đúng giao diện này.",
        "See the interface description.", "Xem mô tả giao diện.");
    public static readonly Refusal PayloadErased = new("E_PAYLOAD_ERASED",
        "It is not kept any more: the payload, or all of the dispatch, was erased.", "Không còn được lưu: nội dung, hoặc toàn bộ văn bản, đã được xóa.",
        "It has to be sent anew, with its documents; receipts and evidence that were given out still hold.", "Phải gửi mới cùng tài liệu; biên nhận và bằng chứng đã phát ra vẫn có giá trị.");
    public static readonly Refusal NothingToUpload = new("E_NOTHING_TO_UPLOAD",
        "No payload is awaited for this dispatch.", "Không chờ nội dung nào cho văn bản này.",
        "Submit the header first, or ask for the status.", "Gửi phần đầu trước, hoặc hỏi trạng thái.");
    public static readonly Refusal UploadOffset = new("E_UPLOAD_OFFSET",
        "The payload does not go on at this byte.", "Nội dung không tiếp tục từ byte này.",
        "Go on at the byte that Upload-Offset of the answer names.", "Tiếp tục từ byte ghi trong Upload-Offset của câu trả lời.");
    public static readonly Refusal Receipt = new("E_RECEIPT",
        "The receipt does not fit the dispatch or its signer.", "Biên nhận không khớp với văn bản hoặc người ký.",
        "Make the receipt again from the opened dispatch.", "Tạo lại biên nhận từ văn bản đã mở.");
    public static readonly Refusal Status = new("E_STATUS",
        "The handling status does not fit the copy or its signer.", "Trạng thái xử lý không khớp với bản gửi hoặc người ký.",
        "Make the status again for a copy that this office has.", "Tạo lại trạng thái cho bản mà cơ quan đã nhận.");
    public static readonly Refusal StatusSequence = new("E_STATUS_SEQUENCE",
        "Another handling status of this copy has this number already.", "Một trạng thái xử lý khác của bản này đã mang số thứ tự này.",
        "Ask for the statuses of the copy and go on with the next number.", "Xem các trạng thái của bản này và dùng số kế tiếp.");
    public static readonly Refusal Recalled = new("E_RECALLED",
        "The sender has recalled this dispatch.", "Nơi gửi đã thu hồi văn bản này.",
        "Nothing is to be done with it; ask the sender if in doubt.", "Không xử lý văn bản này; liên hệ nơi gửi nếu cần.");
    public static readonly Refusal RecallTarget = new("E_RECALL_TARGET",
        "What is recalled, updated or replaced is not a dispatch of this sender as named, or not addressed so.", "Văn bản bị thu hồi, cập nhật hoặc thay thế không phải của nơi gửi như đã nêu, hoặc không gửi tới nơi đã nêu.",
        "Name the dispatch as its receipt does, and only offices that it went to.", "Nêu đúng văn bản theo biên nhận và chỉ những cơ quan đã nhận.");
    public static readonly Refusal Revision = new("E_REVISION",
        "Another recall, update or replacement of this dispatch with this or a higher revision came before.", "Đã có thu hồi, cập nhật hoặc thay thế khác của văn bản này với số phiên bản bằng hoặc cao hơn.",
        "Seal it again with the next revision.", "Niêm phong lại với số phiên bản kế tiếp.");
    public static readonly Refusal NothingToRecall = new("E_NOTHING_TO_RECALL",
        "The copy was stopped before it left, so its office need not be told.", "Bản gửi đã được dừng trước khi chuyển đi nên không cần báo cơ quan nhận.",
        "Nothing is to be done.", "Không cần làm gì.");
    public static readonly Refusal HasCopy = new("E_HAS_COPY",
        "This office has a copy of the dispatch already, or one is on its way to it.", "Cơ quan này đã có bản của văn bản, hoặc bản đang trên đường tới.",
        "Leave the office out, or take its copy back first. Where its key is lost, wait for its new card and send it again: exchange resend.", "Bỏ cơ quan này khỏi danh sách, hoặc thu hồi bản của cơ quan đó trước. Nếu cơ quan mất khóa, đợi thẻ mới rồi gửi lại: exchange resend.");
    public static readonly Refusal KeyRetired = new("E_KEY_RETIRED",
        "The key that this copy is sealed to is no longer one of its office's.", "Khóa dùng để niêm phong bản gửi này không còn là khóa của cơ quan nhận.",
        "The sender sends it once more, to the office's new key and without its author: exchange resend ID --to OFFICE.", "Nơi gửi gửi lại tới khóa mới, không cần người ký: exchange resend MÃ --to CƠ-QUAN.");
    public static readonly Refusal Resent = new("E_RESENT",
        "The sender has sent the same dispatch once more, sealed to another key of the office; this copy ended for that one.", "Nơi gửi đã gửi lại cùng văn bản tới khóa khác của cơ quan; bản này kết thúc, thay bằng bản mới.",
        "Open the other copy.", "Mở bản mới.");
    public static readonly Refusal NotKept = new("E_NOT_KEPT",
        "What is needed to give this dispatch to further offices was not kept when it was sealed.", "Khi niêm phong văn bản này, phần cần thiết để gửi thêm nơi nhận đã không được lưu.",
        "Send it anew, with its documents, to the offices that are to be added.", "Gửi mới văn bản cùng tài liệu tới các nơi nhận cần bổ sung.");
    public static readonly Refusal ExportCopy = new("E_EXPORT_COPY",
        "This office has no copy of that dispatch that it can open again.", "Cơ quan này không có bản nào của văn bản đó mà có thể mở lại.",
        "With its envelope and receipt as files, use --file and --receipt; to have copies from now on, make an archive key (exchange archive key), or send with --keep.", "Nếu có tệp bao bì và biên nhận, dùng --file và --receipt; để từ nay có bản lưu, hãy tạo khóa lưu trữ (exchange archive key) hoặc gửi kèm --keep.");
    public static readonly Refusal ExportMail = new("E_EXPORT_MAIL",
        "This dispatch may not leave the system as a mail, or not to that certificate.", "Văn bản này không được phép rời hệ thống dưới dạng thư, hoặc không được gửi tới chứng thư đó.",
        "Send it through the gateway; where its level allows mail and it bears no caveat, name a valid certificate for encryption of mail.", "Gửi qua trục; nếu độ mật cho phép gửi thư và văn bản không có dấu hạn chế, hãy chọn chứng thư mã hóa thư còn hiệu lực.");
    public static readonly Refusal TooMany = new("E_TOO_MANY",
        "This office sends more requests than the gateway takes from one office.", "Đơn vị này gửi nhiều yêu cầu hơn mức trục nhận từ một đơn vị.",
        "The software tries again by itself after the time given; if it goes on, look for a program that repeats what was refused.", "Phần mềm sẽ tự thử lại sau thời gian đã nêu; nếu vẫn tiếp diễn, hãy tìm chương trình lặp lại yêu cầu đã bị từ chối.");
    public static readonly Refusal Quota = new("E_QUOTA",
        "As many bytes of this office are awaited as the gateway holds for one office.", "Dung lượng đang chờ của đơn vị này đã đạt mức trục dành cho một đơn vị.",
        "The software tries again by itself; finish the uploads under way first.", "Phần mềm sẽ tự thử lại; hãy hoàn tất các lượt tải lên đang dở trước.");
    public static readonly Refusal Busy = new("E_BUSY",
        "The gateway is taking in as much as it can.", "Trục đang tiếp nhận tối đa khả năng.",
        "The software tries again by itself; nothing is lost.", "Phần mềm sẽ tự thử lại; không mất dữ liệu.");
    public static readonly Refusal Full = new("E_FULL",
        "The gateway has no room for submissions at the moment.", "Trục hiện không còn chỗ để tiếp nhận.",
        "The software tries again by itself; the administrator has been alarmed.", "Phần mềm sẽ tự thử lại; quản trị viên đã được báo.");
    public static readonly Refusal ChannelRefused = new("E_CHANNEL_REFUSED",
        "The receiving office's system refused the copy.", "Hệ thống của cơ quan nhận từ chối bản gửi.",
        "Ask the receiving office why; the administrator can send the copy again.", "Hỏi cơ quan nhận lý do; quản trị viên có thể gửi lại bản này.");
    public static readonly Refusal Undelivered = new("E_UNDELIVERED",
        "The copy could not be delivered in the time that its urgency allows.", "Không gửi được bản này trong thời hạn của mức độ khẩn.",
        "Call the receiving office; the administrator can send the copy again.", "Liên hệ cơ quan nhận; quản trị viên có thể gửi lại bản này.");
    public static readonly Refusal Delayed = new("E_DELAYED",
        "The copy is not delivered yet and half of its time is over; it is still tried.", "Bản này chưa gửi được và đã hết nửa thời hạn; hệ thống vẫn đang tiếp tục gửi.",
        "Call the receiving office if it is urgent.", "Liên hệ cơ quan nhận nếu việc gấp.");
    public static readonly Refusal Poison = new("E_POISON",
        "Carrying the copy broke off several times in a row without a report.", "Việc chuyển bản này bị đứt nhiều lần liên tiếp mà không có báo cáo.",
        "The administrator looks at the log of those times before the copy is sent again.", "Quản trị viên xem nhật ký các lần đó trước khi gửi lại bản này.");
    public static readonly Refusal Unreachable = new("E_UNREACHABLE",
        "The gateway cannot be reached.", "Không kết nối được tới trục.",
        "Check the network; sealed dispatches wait in the outbox.", "Kiểm tra mạng; văn bản đã niêm phong chờ trong hộp gửi.");
    public static readonly Refusal Profile = new("E_PROFILE",
        "The office's profile is incomplete or cannot be read.", "Hồ sơ của cơ quan chưa đủ hoặc không đọc được.",
        "Correct what the message names.", "Sửa nội dung mà thông báo đã nêu.");
    public static readonly Refusal Passphrase = new("E_PASSPHRASE",
        "A key file cannot be opened: wrong passphrase, or the file is damaged.", "Không mở được tệp khóa: sai mật khẩu hoặc tệp hỏng.",
        "Give the passphrase by file, environment or prompt.", "Cung cấp mật khẩu qua tệp, biến môi trường hoặc bàn phím.");

    // Evidence: ledger, checkpoints, proofs.
    public static readonly Refusal Note = new("E_NOTE",
        "A checkpoint is not in the signed-note form or its signature does not verify.", "Điểm kiểm tra sai dạng hoặc chữ ký không hợp lệ.",
        "Fetch it again; if it repeats, alarm the auditors.", "Tải lại; nếu lặp lại, báo kiểm toán.");
    public static readonly Refusal Proof = new("E_PROOF",
        "A proof does not lead from the entry to the checkpoint.", "Bằng chứng không dẫn từ mục sổ tới điểm kiểm tra.",
        "Fetch it again; if it repeats, alarm the auditors.", "Tải lại; nếu lặp lại, báo kiểm toán.");
    public static readonly Refusal Fork = new("E_FORK",
        "Two checkpoints of one ledger contradict each other.", "Hai điểm kiểm tra của cùng một sổ mâu thuẫn nhau.",
        "Stop, keep both, alarm the auditors.", "Dừng lại, giữ cả hai, báo kiểm toán.");
    public static readonly Refusal WitnessPolicy = new("E_WITNESS_POLICY", "The file that says whose cosignatures count cannot be read.", "Không đọc được tệp quy định chữ ký chứng kiến nào được tính.",
        "Correct the line that the message names.", "Sửa dòng mà thông báo đã nêu.");
    public static readonly Refusal EvidenceDamaged = new("E_EVIDENCE_DAMAGED",
        "The evidence is not as it was made: something in it was lost, added or changed.", "Chứng cứ không còn nguyên như khi lập: có phần bị mất, bị thêm hoặc bị thay đổi.",
        "Ask whoever made it for the file once more; if it repeats, keep both and tell the auditors.", "Đề nghị nơi lập gửi lại tệp; nếu lặp lại, giữ cả hai và báo kiểm toán.");
    public static readonly Refusal DecisionRecord = new("E_DECISION",
        "The record of a decision is not the one that the ledger names, or the policy does not decide so.", "Bản ghi quyết định không phải bản mà sổ nêu, hoặc chính sách không quyết định như vậy.",
        "Ask the gateway's administrator for the record once more (exchange-gateway decision); if it repeats, tell the auditors.", "Đề nghị quản trị viên của trục xuất lại bản ghi (exchange-gateway decision); nếu lặp lại, báo kiểm toán.");
}
